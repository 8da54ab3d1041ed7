/// Text that a container chose, made fit to be shown.
enum LogLine {
  /// `text` without characters that steer a terminal or cannot be seen, at most `limit` UTF-8 bytes of it.
  static func harmless(_ text: String, limit: Int) -> String {
    var kept = String.UnicodeScalarView()
    var size = 0
    for scalar in text.unicodeScalars {
      guard let shown = shown(scalar) else { continue }
      size += UTF8.width(shown)
      guard size <= limit else { break }
      kept.append(shown)
    }
    return String(kept)
  }

  private static func shown(_ scalar: Unicode.Scalar) -> Unicode.Scalar? {
    if scalar == "\t" { return " " }
    return switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator: nil
    default: scalar
    }
  }
}
