/// Checks every value against its kind, and that required keys are there. Expects normalised names.
struct ValueChecker {
  let report: ConfigurationReport
  /// The configuration file, to name it when a key is missing; nil without one.
  let file: String?

  func check(_ root: ConfigurationNode) {
    group(root, ConfigurationSchema.root, at: ConfigurationPath())
  }

  private func group(_ node: ConfigurationNode, _ schema: SchemaNode, at path: ConfigurationPath) {
    for child in schema.children where child.key.standing == .used {
      let childPath = path.appending(key: child.name)
      guard let value = node[child.name] else {
        if child.key.isRequired { reportMissing(child, at: childPath, parent: path.steps.isEmpty ? nil : node.origin) }
        continue
      }
      switch child.key.kind {
      case .group: group(value, child, at: childPath)
      case .list:
        for (index, element) in value.elements.enumerated() { group(element, child, at: childPath.appending(.index(index))) }
      default: leaf(value, child, at: childPath)
      }
    }
  }

  private func leaf(_ node: ConfigurationNode, _ schema: SchemaNode, at path: ConfigurationPath) {
    guard let text = node.text, let fault = schema.key.kind.fault(in: text) else { return }
    let subject = schema.key.isSecret ? "the value" : "'\(text.prefix(80))'"
    report.add(.error, .invalidValue, key: path, origin: node.origin, "\(subject) \(fault.wrong)", cure: fault.cure)
  }

  /// A missing group is reported by the keys that must be in it, so that the next run has nothing new to say.
  private func reportMissing(_ schema: SchemaNode, at path: ConfigurationPath, parent: ConfigurationOrigin?) {
    let required = schema.key.kind == .group ? schema.children.filter(\.key.isRequired) : []
    for child in required { reportMissing(child, at: path.appending(key: child.name), parent: nil) }
    guard required.isEmpty else { return }
    var cure = file == nil ? "name a configuration file with --config" : "add it"
    if schema.isLeaf { cure += " or set \(VariableResolver.name(of: path))" }
    report.add(.error, .missingKey, key: path, origin: parent, "is missing", cure: cure)
  }
}
