/// Rewrites what a file says into the schema's own names, and reports keys it does not know or does not use.
struct SpellingNormalizer {
  let report: ConfigurationReport

  func normalize(_ root: ConfigurationNode) -> ConfigurationNode {
    group(root, ConfigurationSchema.root, at: ConfigurationPath()) ?? .map([], origin: root.origin)
  }

  private func value(_ node: ConfigurationNode, _ schema: SchemaNode, at path: ConfigurationPath) -> ConfigurationNode? {
    if node.content == .null { return nil }
    switch schema.key.kind {
    case .group: return group(node, schema, at: path)
    case .list: return list(node, schema, at: path)
    default: return leaf(node, schema, at: path)
    }
  }

  private func leaf(_ node: ConfigurationNode, _ schema: SchemaNode, at path: ConfigurationPath) -> ConfigurationNode? {
    // Templates write "" for a key without a value, and the reference does not tell that from an absent key either.
    if let text = node.text { return text.isEmpty ? nil : node }
    if schema.key.kind == .names || schema.key.kind == .urls, let joined = joined(node) { return joined }
    let wrong = if case .list = node.content { "is a list" } else { "is a group of keys" }
    report.add(
      .error, .invalidValue, key: path, origin: node.origin, "\(wrong), but one value belongs here",
      cure: "write \(schema.name): and a value of type \(schema.key.kind.name)")
    return nil
  }

  /// A list of single values as one value, as variables write it; nil for a list of anything else.
  private func joined(_ node: ConfigurationNode) -> ConfigurationNode? {
    let texts = node.elements.compactMap(\.text)
    guard !texts.isEmpty, texts.count == node.elements.count else { return nil }
    return ConfigurationNode(content: .scalar(texts.joined(separator: " ")), origin: node.origin)
  }

  private func list(_ node: ConfigurationNode, _ schema: SchemaNode, at path: ConfigurationPath) -> ConfigurationNode? {
    guard case .list(let elements) = node.content else {
      report.add(
        .error, .invalidValue, key: path, origin: node.origin, "is not a list", cure: "start each entry with '- '")
      return nil
    }
    let normalized = elements.enumerated().map { index, element in
      group(element, schema, at: path.appending(.index(index))) ?? .map([], origin: element.origin)
    }
    return ConfigurationNode(content: .list(normalized), origin: node.origin)
  }

  private func group(_ node: ConfigurationNode, _ schema: SchemaNode, at path: ConfigurationPath) -> ConfigurationNode? {
    guard case .map(let entries) = node.content else {
      reportNotAGroup(node, schema, at: path)
      return nil
    }
    var normalized: [ConfigurationNode.Entry] = []
    for entry in entries {
      guard let child = schema.child(named: entry.key) else {
        reportUnknown(entry, in: schema, at: path)
        continue
      }
      let childPath = path.appending(key: child.name)
      if case .ignored(let reason) = child.key.standing {
        report.add(.note, .ignoredKey, key: childPath, origin: entry.origin, "has no effect: \(reason)")
        continue
      }
      guard let value = value(entry.value, child, at: childPath) else { continue }
      merge(ConfigurationNode.Entry(key: child.name, origin: entry.origin, value: value), into: &normalized, at: childPath)
    }
    return .map(normalized, origin: node.origin)
  }

  /// A file may hold two spellings of one key as long as they do not contradict each other.
  private func merge(_ entry: ConfigurationNode.Entry, into entries: inout [ConfigurationNode.Entry], at path: ConfigurationPath)
  {
    guard let position = entries.firstIndex(where: { $0.key == entry.key }) else {
      entries.append(entry)
      return
    }
    if case .map(var present) = entries[position].value.content, case .map(let added) = entry.value.content {
      for child in added { merge(child, into: &present, at: path.appending(key: child.key)) }
      entries[position].value.content = .map(present)
    } else if entries[position].value.content != entry.value.content {
      report.add(
        .error, .conflict, key: path, origin: entry.origin,
        "is given twice with different values, the other time at \(entries[position].origin)", cure: "keep one of them")
    }
  }

  private func reportNotAGroup(_ node: ConfigurationNode, _ schema: SchemaNode, at path: ConfigurationPath) {
    // Files of the reference may hold a JSON text of contract addresses here.
    if schema.key.path == "contracts" {
      report.add(.note, .ignoredKey, key: path, origin: node.origin, "has no effect: the contract addresses needed are built in")
      return
    }
    let names = schema.children.filter { $0.key.standing == .used }.map(\.name).joined(separator: ", ")
    report.add(
      .error, .invalidValue, key: path, origin: node.origin, "is not a group of keys",
      cure: "indent its keys below it: \(names)")
  }

  private func reportUnknown(_ entry: ConfigurationNode.Entry, in schema: SchemaNode, at path: ConfigurationPath) {
    let siblings = schema.children.filter { $0.key.standing == .used }
    var guess = Spelling.nearest(to: entry.key, among: siblings.map(\.name))
    if guess == nil {
      // The name is right and the place is wrong, most often because of the indentation.
      let wanted = entry.key.lowercased()
      guess =
        ConfigurationSchema.keys.first {
          $0.standing == .used && $0.path.lowercased().hasSuffix(".\(wanted)") || $0.path.lowercased() == wanted
        }?.path
    }
    report.add(
      .warning, .unknownKey, key: path.appending(key: entry.key), origin: entry.origin, "is not a known key and has no effect",
      cure: guess.map { "did you mean '\($0)'?" })
  }
}
