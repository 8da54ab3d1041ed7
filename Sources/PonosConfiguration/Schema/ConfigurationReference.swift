/// The table of all keys, as `docs/configuration.md` shows it.
package enum ConfigurationReference {
  /// Markdown; ends with a line break.
  package static var markdown: String {
    var text = "| key | type | default | reload | meaning |\n|---|---|---|---|---|\n"
    for key in ConfigurationSchema.keys where key.standing == .used { text += row(key) }
    text += "\nAccepted because existing files have them, without an effect:\n\n| key | why it does nothing |\n|---|---|\n"
    for key in ConfigurationSchema.keys {
      if case .ignored(let reason) = key.standing { text += "| `\(key.path)` | \(reason) |\n" }
    }
    return text
  }

  private static func row(_ key: ConfigurationKey) -> String {
    var meaning = key.meaning
    if key.isSecret { meaning += " Secret." }
    if !key.spellings.isEmpty { meaning += " Also written " + key.spellings.map { "`\($0)`" }.joined(separator: ", ") + "." }
    return "| `\(key.path)` | \(key.kind.name) | \(standard(key)) | \(key.reload?.rawValue ?? "") | \(meaning) |\n"
  }

  private static func standard(_ key: ConfigurationKey) -> String {
    if key.isRequired { return "required" }
    if let standard = key.standard { return standard.isEmpty ? "empty" : "`\(standard)`" }
    return key.standardNote ?? ""
  }
}
