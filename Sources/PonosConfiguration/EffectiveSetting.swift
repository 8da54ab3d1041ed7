/// One setting in effect, with secrets masked, so that it can be shown.
package struct EffectiveSetting: Sendable, Equatable, Codable {
  /// Path of the key: `avsPerformers[0].image.tag`.
  package let key: String
  /// As it was written, or the default; a secret is shown as `<secret>`, a URL without what follows its host.
  package let value: String
  /// Where it was written: `default`, `executor.yaml:12`, `EXECUTOR_GRPC_PORT`, `--debug`.
  package let origin: String

  /// Settings that have a value, in the order of the schema.
  static func all(in section: ConfigurationSection) -> [EffectiveSetting] {
    section.schema.children.filter { $0.key.standing == .used }.flatMap { child -> [EffectiveSetting] in
      switch child.key.kind {
      case .group:
        // Absent groups of list entries, such as a registry, have nothing in effect.
        return all(in: section.section(child.name))
      case .list: return section.entries(child.name).flatMap { all(in: $0) }
      default: return setting(child, in: section).map { [$0] } ?? []
      }
    }
  }

  private static func setting(_ child: SchemaNode, in section: ConfigurationSection) -> EffectiveSetting? {
    let written = section.isGiven(child.name)
    // A default inside an absent group counts only where the group is in effect without being written.
    guard written || (child.key.standard?.isEmpty == false && (section.isPresent || isAlwaysInEffect(section.schema))),
      let text = section.text(child.name)
    else { return nil }
    let origin = written ? section.origin(child.name) ?? .standard : .standard
    return EffectiveSetting(
      key: section.path.appending(key: child.name).description, value: display(text, child.key), origin: origin.description)
  }

  /// Groups without required keys are in effect by their defaults, except for those that hold signing keys.
  private static func isAlwaysInEffect(_ schema: SchemaNode) -> Bool {
    !schema.children.contains(where: \.key.isRequired) && !schema.key.path.hasPrefix("operator.")
      && schema.key.path != "storage.badger"
  }

  private static func display(_ text: String, _ key: ConfigurationKey) -> String {
    if key.kind == .urls { return ScalarText.urls(text).map(shortened).joined(separator: " ") }
    if key.kind == .url { return shortened(text) }
    return key.isSecret ? "<secret>" : text
  }

  /// A URL without what follows its host, and without credentials.
  private static func shortened(_ text: String) -> String {
    if let colon = text.firstRange(of: "://") {
      let authority = text[colon.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
      let host = authority.split(separator: "@").last ?? ""
      let isWhole = authority.endIndex == text.endIndex && host.count == authority.count
      return "\(text[..<colon.upperBound])\(host)\(isWhole ? "" : "/…")"
    }
    return "<secret>"
  }
}
