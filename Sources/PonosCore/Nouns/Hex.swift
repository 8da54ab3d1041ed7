/// Lower-case hexadecimal text, with and without the `0x` that Ethereum tools write.
package enum Hex {
  /// The digits of `bytes`, two a byte, without a prefix.
  package static func encode(_ bytes: some Sequence<UInt8>) -> String {
    var text: [UInt8] = []
    text.reserveCapacity(bytes.underestimatedCount * 2)
    for byte in bytes {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 0x0f)])
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// The digits of `bytes` after a `0x`.
  package static func encodePrefixed(_ bytes: some Sequence<UInt8>) -> String {
    "0x" + encode(bytes)
  }

  /// The bytes `text` spells, in either case and with or without `0x`; nil for an odd number of digits or any other character.
  package static func decode(_ text: some StringProtocol) -> [UInt8]? {
    var utf8 = text.utf8[...]
    if utf8.starts(with: prefix) { utf8 = utf8.dropFirst(2) }
    guard utf8.count.isMultiple(of: 2) else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(utf8.count / 2)
    var high: UInt8?
    for character in utf8 {
      guard let digit = value(of: character) else { return nil }
      if let upper = high {
        bytes.append(upper << 4 | digit)
        high = nil
      } else {
        high = digit
      }
    }
    return bytes
  }

  private static let digits = Array("0123456789abcdef".utf8)
  private static let prefix = Array("0x".utf8)

  private static func value(of character: UInt8) -> UInt8? {
    switch character {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): character - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
