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
    // In place and not by the text's own iterator: every task spells its id and three addresses, and iterators of other modules
    // are called through tables.
    let decoded = text.utf8.withContiguousStorageIfAvailable { decode(characters: $0) }
    return decoded ?? Array(text.utf8).withUnsafeBufferPointer { decode(characters: $0) }
  }

  private static func decode(characters: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
    let isPrefixed = characters.count >= 2 && characters[0] == UInt8(ascii: "0") && characters[1] == UInt8(ascii: "x")
    let start = isPrefixed ? 2 : 0
    guard characters.count.isMultiple(of: 2) else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity((characters.count - start) / 2)
    for index in stride(from: start, to: characters.count, by: 2) {
      guard let high = value(of: characters[index]), let low = value(of: characters[index + 1]) else { return nil }
      bytes.append(high << 4 | low)
    }
    return bytes
  }

  private static let digits = Array("0123456789abcdef".utf8)

  private static func value(of character: UInt8) -> UInt8? {
    switch character {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): character - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
