import PonosCore
import PonosCrypto

/// One group of the checked configuration, read key by key with the schema's defaults.
///
/// A value that does not fit its kind reads as absent: the checker has reported it already.
struct ConfigurationSection {
  let node: ConfigurationNode?
  let schema: SchemaNode
  let path: ConfigurationPath

  var isPresent: Bool { node != nil }

  func section(_ key: String) -> ConfigurationSection {
    ConfigurationSection(node: node?[key], schema: child(key), path: path.appending(key: key))
  }

  /// The entries of a list, none when it is absent.
  func entries(_ key: String) -> [ConfigurationSection] {
    let list = section(key)
    return (list.node?.elements ?? []).enumerated().map { index, element in
      ConfigurationSection(node: element, schema: list.schema, path: list.path.appending(.index(index)))
    }
  }

  func isGiven(_ key: String) -> Bool {
    node?[key] != nil
  }

  /// Where the key was written, or else the group it belongs to.
  func origin(_ key: String) -> ConfigurationOrigin? {
    node?[key]?.origin ?? node?.origin
  }

  func text(_ key: String) -> String? {
    let kind = child(key).key
    guard let text = node?[key]?.text ?? kind.standard, kind.kind.fault(in: text) == nil else { return nil }
    return text
  }

  /// The value of a typed key; its default when the key is absent.
  subscript<Value>(key: Key<Value>) -> Value {
    precondition(child(key.name).key.path == key.row.path, "'\(key.row.path)' is no key of '\(schema.key.path)'")
    return text(key.name).flatMap(key.read) ?? key.standard
  }

  func boolean(_ key: String) -> Bool? { text(key).flatMap(ScalarText.boolean) }
  func integer(_ key: String) -> Int? { text(key).flatMap(ScalarText.integer) }
  func number(_ key: String) -> Double? { text(key).flatMap(ScalarText.number) }
  func duration(_ key: String) -> Duration? { text(key).flatMap(ScalarText.duration) }
  func size(_ key: String) -> Int64? { text(key).flatMap(ScalarText.size) }
  func endpoint(_ key: String) -> (host: String, port: Int)? { text(key).flatMap(ScalarText.endpoint) }
  func address(_ key: String) -> EthereumAddress? { text(key).flatMap { EthereumAddress(hex: $0) } }

  /// The choice in the schema's own case.
  func choice(_ key: String) -> String? {
    guard let text = text(key), case .choice(let choices) = child(key).key.kind else { return nil }
    return choices.first { $0.lowercased() == text.lowercased() }
  }

  /// The key among `keys` that the highest layer gives; the first of them when that layer gives several.
  func strongest(of keys: [String]) -> String? {
    var best: String?
    for key in keys where isGiven(key) {
      guard let current = best else {
        best = key
        continue
      }
      if precedence(of: current) < precedence(of: key) { best = key }
    }
    return best
  }

  /// Rank of the layer that gives `key`; a group counts as its strongest value.
  private func precedence(of key: String) -> Int {
    node?[key]?.strongestPrecedence ?? 0
  }

  private func child(_ key: String) -> SchemaNode {
    guard let child = schema.child(named: key) else {
      preconditionFailure("the schema has no key '\(key)' in '\(schema.key.path)'")
    }
    return child
  }
}
