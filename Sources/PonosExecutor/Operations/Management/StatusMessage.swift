/// Puts together the message of a gRPC status, which travels in a header field: clients refuse trailers beyond 8 KiB, and then
/// show neither code nor message.
enum StatusMessage {
  /// Bytes the message may have on the wire, percent-encoded; leaves room for the other trailers.
  static let limit = 4096

  /// `message` and as many of the log's last lines as there is room for. A message that is itself too long is cut.
  static func text(_ message: String, log: [String]) -> String {
    let message = cut(message)
    var size = encodedSize(message) + encodedSize(introduction)
    var lines: [String] = []
    for line in log.reversed() {
      size += encodedSize(line) + encodedSize(separator)
      guard size <= limit else { break }
      lines.insert(line, at: 0)
    }
    return lines.isEmpty ? message : message + introduction + lines.joined(separator: separator)
  }

  private static let introduction = "; its last log lines: "
  private static let separator = " | "

  private static func cut(_ text: String) -> String {
    guard encodedSize(text) > limit else { return text }
    let ellipsis: Unicode.Scalar = "…"
    var size = encodedSize(String(ellipsis))
    var kept = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      size += encodedSize(String(scalar))
      guard size <= limit else { break }
      kept.append(scalar)
    }
    kept.append(ellipsis)
    return String(kept)
  }

  /// Bytes of `text` as gRPC writes it: printable ASCII as it is, except the percent sign, and three bytes for every other byte.
  static func encodedSize(_ text: String) -> Int {
    text.utf8.reduce(0) { size, byte in size + ((0x20...0x7e).contains(byte) && byte != UInt8(ascii: "%") ? 1 : 3) }
  }
}
