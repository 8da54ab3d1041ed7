/// Text made safe for a log line.
enum LogText {
  /// A JSON string, quotes included.
  static func json(_ text: String) -> String { "\"\(escaped(text, quotes: true))\"" }

  /// Line feeds, escape sequences and other control characters written out.
  static func escapedControls(_ text: String) -> String { escaped(text, quotes: false) }

  /// As it is when that is unmistakable, else in quotes.
  static func textValue(_ text: String) -> String {
    let isPlain = !text.isEmpty && text.unicodeScalars.allSatisfy { $0.value > 0x20 && $0 != "\"" && $0 != "=" && $0 != "\\" }
    return isPlain ? escapedControls(text) : json(text)
  }

  private static func escaped(_ text: String, quotes: Bool) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\n": result.append(contentsOf: "\\n".unicodeScalars)
      case "\r": result.append(contentsOf: "\\r".unicodeScalars)
      case "\t": result.append(contentsOf: "\\t".unicodeScalars)
      case "\"" where quotes: result.append(contentsOf: "\\\"".unicodeScalars)
      case "\\" where quotes: result.append(contentsOf: "\\\\".unicodeScalars)
      // C0, DEL and C1 controls, and the two separators that some readers take for line ends.
      case "\u{0}"..."\u{1f}", "\u{7f}"..."\u{9f}", "\u{2028}", "\u{2029}":
        let digits = String(scalar.value, radix: 16)
        result.append(contentsOf: ("\\u" + String(repeating: "0", count: 4 - digits.count) + digits).unicodeScalars)
      default: result.append(scalar)
      }
    }
    return String(result)
  }
}
