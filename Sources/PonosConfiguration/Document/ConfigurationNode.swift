/// A piece of configuration as it was written, with the place where it was written.
struct ConfigurationNode: Sendable, Equatable {
  indirect enum Content: Sendable, Equatable {
    /// Written without a value; the same as not written.
    case null
    /// The text as written, unquoted. The schema decides what it means.
    case scalar(String)
    case list([ConfigurationNode])
    /// In the order of the file.
    case map([Entry])
  }

  struct Entry: Sendable, Equatable {
    let key: String
    /// Where the key stands.
    let origin: ConfigurationOrigin
    var value: ConfigurationNode
  }

  var content: Content
  var origin: ConfigurationOrigin

  static func map(_ entries: [Entry], origin: ConfigurationOrigin) -> ConfigurationNode {
    ConfigurationNode(content: .map(entries), origin: origin)
  }

  /// The value under `key`; nil unless this is a map that has a value there.
  subscript(key: String) -> ConfigurationNode? {
    guard case .map(let entries) = content, let value = entries.first(where: { $0.key == key })?.value else { return nil }
    return value.content == .null ? nil : value
  }

  var elements: [ConfigurationNode] {
    if case .list(let elements) = content { elements } else { [] }
  }

  /// Rank of the highest layer that wrote any part of this.
  var strongestPrecedence: Int {
    switch content {
    case .null, .scalar: origin.precedence
    case .list(let elements): elements.map(\.strongestPrecedence).max() ?? origin.precedence
    case .map(let entries): entries.map(\.value.strongestPrecedence).max() ?? origin.precedence
    }
  }

  var text: String? {
    if case .scalar(let text) = content { text } else { nil }
  }
}

extension ConfigurationNode {
  /// Writes `text` at `path`, replacing what a lower layer wrote there. Returns false when a list would get a gap.
  mutating func set(_ path: ArraySlice<ConfigurationPath.Step>, to text: String, origin: ConfigurationOrigin) -> Bool {
    guard let step = path.first else {
      self = ConfigurationNode(content: .scalar(text), origin: origin)
      return true
    }
    switch step {
    case .key(let key): return setEntry(key, path.dropFirst(), to: text, origin: origin)
    case .index(let index): return setElement(index, path.dropFirst(), to: text, origin: origin)
    }
  }

  private mutating func setEntry(
    _ key: String, _ rest: ArraySlice<ConfigurationPath.Step>, to text: String, origin: ConfigurationOrigin
  ) -> Bool {
    var entries: [Entry] = []
    if case .map(let present) = content { entries = present }
    let position = entries.firstIndex { $0.key == key } ?? entries.endIndex
    if position == entries.endIndex {
      entries.append(Entry(key: key, origin: origin, value: ConfigurationNode(content: .null, origin: origin)))
    }
    let isSet = entries[position].value.set(rest, to: text, origin: origin)
    content = .map(entries)
    return isSet
  }

  private mutating func setElement(
    _ index: Int, _ rest: ArraySlice<ConfigurationPath.Step>, to text: String, origin: ConfigurationOrigin
  ) -> Bool {
    var elements = elements
    guard index <= elements.count else { return false }
    if index == elements.count { elements.append(ConfigurationNode(content: .null, origin: origin)) }
    let isSet = elements[index].set(rest, to: text, origin: origin)
    content = .list(elements)
    return isSet
  }
}
