/// A value that a variable or a flag gives to one setting.
struct ConfigurationAssignment {
  let path: ConfigurationPath
  let node: SchemaNode
  let text: String
  let origin: ConfigurationOrigin
}

/// Finds the settings that environment variables mean.
///
/// `EXECUTOR_` or `EXECUTOR__`, then the keys in capitals with an underscore between them; inside a key the words may be
/// separated too, and entries of lists are numbered from 0: `EXECUTOR_AVS_PERFORMERS_0_IMAGE_TAG`.
struct VariableResolver {
  static let prefix = "EXECUTOR_"
  /// Names the configuration file itself; not a setting.
  static let filePathVariable = "EXECUTOR_CONFIG_PATH"

  let schema: SchemaNode
  let report: ConfigurationReport

  /// Sorted by path, then those of ignored keys by name. An empty variable counts as not set.
  func assignments(_ environment: [String: String]) -> [ConfigurationAssignment] {
    var found: [ConfigurationPath: ConfigurationAssignment] = [:]
    var ignored: [ConfigurationAssignment] = []
    for (name, value) in environment.sorted(by: { $0.key < $1.key }) where name.hasPrefix(Self.prefix) && !value.isEmpty {
      guard !Self.belongsToSomeoneElse(name) else { continue }
      let words = name.dropFirst(Self.prefix.count).split(separator: "_").map { $0.lowercased() }
      guard let (path, node) = resolve(words[...], from: schema, at: ConfigurationPath()) else {
        reportUnknown(name)
        continue
      }
      let origin = ConfigurationOrigin.variable(name)
      guard node.key.standing == .used else {
        ignored.append(ConfigurationAssignment(path: path, node: node, text: value, origin: origin))
        continue
      }
      if let other = found[path], other.text != value {
        report.add(
          .error, .conflict, key: path, origin: origin, "differs from the variable \(other.origin), which sets the same key",
          cure: "keep one of the two")
      }
      found[path] = ConfigurationAssignment(path: path, node: node, text: value, origin: origin)
    }
    return found.values.sorted { $0.path < $1.path } + ignored
  }

  private func resolve(
    _ words: ArraySlice<String>, from node: SchemaNode, at path: ConfigurationPath
  ) -> (ConfigurationPath, SchemaNode)? {
    if words.isEmpty { return node.isLeaf ? (path, node) : nil }
    for length in 1...words.count {
      guard let child = node.child(named: words.prefix(length).joined()) else { continue }
      var rest = words.dropFirst(length)
      var childPath = path.appending(key: child.name)
      // The schema has no keys below an ignored group, and needs none.
      guard child.key.standing == .used else { return (childPath, child) }
      if child.key.kind == .list {
        guard let index = rest.first.flatMap({ Int($0) }), index >= 0 else { continue }
        rest = rest.dropFirst()
        childPath = childPath.appending(.index(index))
      }
      if let result = resolve(rest, from: child, at: childPath) { return result }
    }
    return nil
  }

  /// Variables that are no settings: the file's path, and those that a cluster or `hgctl` sets for a container called "executor".
  private static func belongsToSomeoneElse(_ name: String) -> Bool {
    name == filePathVariable || name == "EXECUTOR_PORT" || name == "EXECUTOR_MGMT_PORT"
      || name.hasPrefix("EXECUTOR_PORT_") || name.hasPrefix("EXECUTOR_SERVICE_")
  }

  private func reportUnknown(_ name: String) {
    let guess = Spelling.nearest(to: name, among: ConfigurationSchema.usedPaths.map(Self.name(of:)))
    report.add(
      .warning, .unknownKey, origin: .variable(name), "no setting has this name",
      cure: guess.map { "did you mean \($0)?" })
  }

  /// The variable that sets `path`: `EXECUTOR_L1_CHAIN_RPC_URL` for `l1Chain.rpcUrl`.
  static func name(of path: ConfigurationPath) -> String {
    let words = path.steps.map { step in
      switch step {
      case .key(let key): separateWords(key)
      case .index(let index): String(index)
      }
    }
    return prefix + words.joined(separator: "_")
  }

  /// The variable that sets a path of the schema; entries of lists get the number 0.
  static func name(of path: String) -> String {
    prefix + path.replacing("[]", with: ".0").split(separator: ".").map(separateWords).joined(separator: "_")
  }

  /// `rpcUrl` becomes `RPC_URL`.
  private static func separateWords(_ key: some StringProtocol) -> String {
    key.map { ($0.isUppercase ? "_" : "") + $0.uppercased() }.joined()
  }
}
