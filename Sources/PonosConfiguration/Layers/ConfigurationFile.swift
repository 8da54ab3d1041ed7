import Yams

/// Reads the text of a configuration file, YAML or JSON (which YAML contains), keeping the line of every value.
struct ConfigurationFile {
  /// Largest file accepted, in bytes.
  static let maxBytes = 1 << 20
  /// Largest number of values, so that aliases of aliases cannot fill the memory.
  private static let maxNodes = 100_000

  /// As the operator named it; part of every origin.
  let path: String
  let report: ConfigurationReport
  private var remainingNodes = Self.maxNodes
  private var hasReportedTooMany = false

  init(path: String, report: ConfigurationReport) {
    self.path = path
    self.report = report
  }

  /// The root map; nil after reporting why there is none. An empty file is an empty map.
  mutating func parse(_ text: String) -> ConfigurationNode? {
    let start = ConfigurationOrigin.file(path: path, line: 1)
    do {
      guard let root = try Yams.compose(yaml: text) else { return .map([], origin: start) }
      let node = convert(root, near: start)
      switch node.content {
      case .map: return node
      case .null: return .map([], origin: start)
      case .scalar, .list:
        report.add(
          .error, .invalidSyntax, origin: start, "the file does not hold keys and values at its top level",
          cure: "start it with a key such as 'grpcPort: 9090'")
        return nil
      }
    } catch let error as YamlError {
      reportSyntax(error)
    } catch {
      report.add(.error, .invalidSyntax, origin: start, "the file is not valid YAML or JSON")
    }
    return nil
  }

  private mutating func convert(_ node: Node, near parent: ConfigurationOrigin) -> ConfigurationNode {
    let origin = node.mark.map { ConfigurationOrigin.file(path: path, line: $0.line) } ?? parent
    guard remainingNodes > 0 else {
      reportTooMany(at: origin)
      return ConfigurationNode(content: .null, origin: origin)
    }
    remainingNodes -= 1
    switch node {
    case .scalar(let scalar):
      return ConfigurationNode(content: Self.isNull(scalar) ? .null : .scalar(scalar.string), origin: origin)
    case .sequence(let sequence):
      return ConfigurationNode(content: .list(sequence.map { convert($0, near: origin) }), origin: origin)
    case .mapping(let mapping):
      return .map(entries(of: mapping, near: origin), origin: origin)
    case .alias:
      return ConfigurationNode(content: .null, origin: origin)
    }
  }

  /// Reports it once for a file, which may have a million values more.
  private mutating func reportTooMany(at origin: ConfigurationOrigin) {
    guard !hasReportedTooMany else { return }
    hasReportedTooMany = true
    report.add(
      .error, .invalidSyntax, origin: origin, "the file holds more than \(Self.maxNodes) values",
      cure: "look for aliases that repeat each other")
  }

  /// Own keys win over keys that come through a merge (`<<`).
  private mutating func entries(of mapping: Node.Mapping, near parent: ConfigurationOrigin) -> [ConfigurationNode.Entry] {
    var own: [ConfigurationNode.Entry] = []
    var merged: [ConfigurationNode.Entry] = []
    for (key, value) in mapping {
      let origin = key.mark.map { ConfigurationOrigin.file(path: path, line: $0.line) } ?? parent
      guard case .scalar(let scalar) = key else {
        report.add(.error, .invalidSyntax, origin: origin, "a key is not a plain text", cure: "write 'key: value'")
        continue
      }
      let node = convert(value, near: origin)
      if scalar.string == "<<", scalar.style == .plain {
        merged += mergedEntries(of: node)
      } else {
        own.append(ConfigurationNode.Entry(key: scalar.string, origin: origin, value: node))
      }
    }
    for entry in merged where !own.contains(where: { $0.key == entry.key }) { own.append(entry) }
    return own
  }

  private func mergedEntries(of node: ConfigurationNode) -> [ConfigurationNode.Entry] {
    switch node.content {
    case .map(let entries): entries
    case .list(let nodes): nodes.flatMap(mergedEntries)
    case .null, .scalar: []
    }
  }

  private static func isNull(_ scalar: Node.Scalar) -> Bool {
    guard scalar.style == .plain || scalar.style == .any else { return false }
    return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
  }

  // The library's own description quotes the source line, which may hold a secret, so it is not used.
  private func reportSyntax(_ error: YamlError) {
    switch error {
    case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      let reason = context.map { "\($0.text) from line \($0.mark.line): \(problem)" } ?? problem
      report.add(
        .error, .invalidSyntax, origin: .file(path: path, line: mark.line), "\(reason) (column \(mark.column))",
        cure: "check indentation, quotes and brackets around this line")
    case .duplicatedKeysInMapping(let duplicates, let context):
      report.add(
        .error, .conflict, origin: .file(path: path, line: context.mark.line),
        "the key '\(duplicates.first ?? "")' occurs more than once here", cure: "keep one of them")
    default:
      report.add(
        .error, .invalidSyntax, origin: .file(path: path, line: 1), "the file is not valid YAML or JSON",
        cure: "check that it is UTF-8 text")
    }
  }
}
