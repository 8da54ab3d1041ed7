/// The percent-encoding of `grpc-message`: everything but printable ASCII, and the percent sign itself, as `%XX` of its UTF-8 bytes.
///
/// A space at the beginning or the end is escaped as well: it would be stripped, or the field refused (RFC 9113 section 8.2.1).
package enum StatusMessageEncoding {
  private static let space = UInt8(ascii: " ")

  /// `text` with all that a header may not carry escaped.
  package static func encode(_ text: String) -> String {
    let utf8 = text.utf8
    guard utf8.first == space || utf8.last == space || !utf8.allSatisfy(isPlain) else { return text }
    var encoded: [UInt8] = []
    for index in utf8.indices {
      let byte = utf8[index]
      let isAtEnd = index == utf8.startIndex || utf8.index(after: index) == utf8.endIndex
      if isPlain(byte), byte != space || !isAtEnd {
        encoded.append(byte)
      } else {
        encoded += [UInt8(ascii: "%"), digit(byte >> 4), digit(byte & 15)]
      }
    }
    return String(decoding: encoded, as: UTF8.self)
  }

  /// `text` encoded, cut off behind a whole character where it would become longer than `limit` bytes.
  package static func encode(_ text: String, limit: Int) -> String {
    let encoded = encode(text)
    guard encoded.utf8.count > limit else { return encoded }
    var room = limit
    let fitting = text.prefix { character in
      room -= encode(String(character)).utf8.count
      return room >= 0
    }
    return encode(String(fitting))
  }

  /// `text` with escapes resolved; malformed escapes stay as they are and invalid UTF-8 becomes U+FFFD.
  package static func decode(_ text: some StringProtocol) -> String {
    let bytes = Array(text.utf8)
    guard bytes.contains(UInt8(ascii: "%")) else { return String(text) }
    var decoded: [UInt8] = []
    var index = 0
    while index < bytes.count {
      if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count,
        let high = value(bytes[index + 1]), let low = value(bytes[index + 2])
      {
        decoded.append(high << 4 | low)
        index += 3
      } else {
        decoded.append(bytes[index])
        index += 1
      }
    }
    return String(decoding: decoded, as: UTF8.self)
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    byte >= 0x20 && byte <= 0x7e && byte != UInt8(ascii: "%")
  }

  private static func digit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + value - 10
  }

  private static func value(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
