/// Every key there is, as a table and as the tree the table describes.
package enum ConfigurationSchema {
  /// In the order of the reference: a group before its keys.
  package static let keys: [ConfigurationKey] = serverKeys + streamKeys + operatorKeys + chainKeys + storageKeys + avsKeys

  static let root = SchemaNode(
    key: ConfigurationKey("", .group, ""), name: "", children: children(of: ""))

  /// Paths of the keys that take a value and have an effect.
  static let usedPaths: [String] = keys.filter { $0.standing == .used && $0.kind != .group && $0.kind != .list }.map(\.path)

  private static func children(of parent: String) -> [SchemaNode] {
    let prefix = parent.isEmpty ? "" : parent + "."
    return keys.compactMap { key in
      guard key.path.hasPrefix(prefix) else { return nil }
      let name = String(key.path.dropFirst(prefix.count))
      guard !name.isEmpty, !name.contains(".") else { return nil }
      let inside = key.kind == .list ? key.path + "[]" : key.path
      return SchemaNode(key: key, name: name, children: children(of: inside))
    }
  }
}

/// A key of the schema with the keys below it.
struct SchemaNode: Sendable {
  let key: ConfigurationKey
  /// The last part of the path.
  let name: String
  let children: [SchemaNode]

  var isLeaf: Bool {
    key.kind != .group && key.kind != .list
  }

  /// The key of this name or spelling, ignoring case.
  func child(named name: String) -> SchemaNode? {
    let wanted = name.lowercased()
    return children.first { $0.name.lowercased() == wanted }
      ?? children.first { child in child.key.spellings.contains { $0.lowercased() == wanted } }
  }
}
