/// A setting given on the command line.
package struct ConfigurationFlag: Sendable, Equatable {
  /// As the operator typed it, with its dashes: `--grpc-port`.
  package let name: String
  /// Path of the key: `grpcPort`, `avsPerformers[0].concurrency` or `avsPerformers.0.concurrency`.
  package let key: String
  package let value: String

  package init(name: String, key: String, value: String) {
    self.name = name
    self.key = key
    self.value = value
  }
}

/// Finds the setting that a dotted path names.
struct FlagResolver {
  let schema: SchemaNode
  let report: ConfigurationReport

  func assignments(_ flags: [ConfigurationFlag]) -> [ConfigurationAssignment] {
    flags.compactMap(assignment)
  }

  private func assignment(_ flag: ConfigurationFlag) -> ConfigurationAssignment? {
    let origin = ConfigurationOrigin.flag(flag.name)
    let words = flag.key.replacing("[", with: ".").replacing("]", with: "").split(
      separator: ".", omittingEmptySubsequences: false)
    guard let (path, node) = resolve(words[...], from: schema, at: ConfigurationPath()) else {
      let guess = Spelling.nearest(to: flag.key, among: ConfigurationSchema.usedPaths)
      report.add(
        .error, .unknownKey, origin: origin, "there is no setting '\(flag.key)'",
        cure: guess.map { "did you mean '\($0)'?" } ?? "docs/configuration.md lists all keys")
      return nil
    }
    guard !node.key.isSecret || node.key.standing != .used else {
      reportSecret(node.key, at: path, origin)
      return nil
    }
    return ConfigurationAssignment(path: path, node: node, text: flag.value, origin: origin)
  }

  /// Every user of the host can read arguments in the list of processes, and the shell keeps them in its history.
  private func reportSecret(_ key: ConfigurationKey, at path: ConfigurationPath, _ origin: ConfigurationOrigin) {
    let hasFile = ConfigurationSchema.usedPaths.contains(key.path + "File")
    report.add(
      .error, .exposedSecret, key: path, origin: origin, "is a secret, and arguments can be read by every user of this host",
      cure: (hasFile ? "name a file with \(path)File" : "write it in the configuration file")
        + ", or set the variable \(VariableResolver.name(of: path))")
  }

  private func resolve(
    _ words: ArraySlice<Substring>, from node: SchemaNode, at path: ConfigurationPath
  ) -> (ConfigurationPath, SchemaNode)? {
    guard let word = words.first else { return node.isLeaf ? (path, node) : nil }
    guard let child = node.child(named: String(word)) else { return nil }
    let childPath = path.appending(key: child.name)
    // The schema has no keys below an ignored group, and needs none.
    guard child.key.standing == .used else { return (childPath, child) }
    guard child.key.kind == .list else { return resolve(words.dropFirst(), from: child, at: childPath) }
    guard let number = words.dropFirst().first.flatMap({ Int($0) }), number >= 0 else { return nil }
    return resolve(words.dropFirst(2), from: child, at: childPath.appending(.index(number)))
  }
}
