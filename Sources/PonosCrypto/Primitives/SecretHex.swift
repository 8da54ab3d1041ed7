/// Hex digits of a secret, read without a copy outside `SecretBytes`.
enum SecretHex {
  /// The bytes that `text` spells: hex digits with an optional `0x`, white space around them ignored.
  static func decode(_ text: SecretBytes) throws(KeyError) -> SecretBytes {
    try text.withUnsafeBytes { buffer throws(KeyError) in
      let digits = digits(in: buffer)
      guard digits.count.isMultiple(of: 2) else { throw .malformedHex }
      return try SecretBytes(count: digits.count / 2) { output throws(KeyError) in
        for index in output.indices {
          let first = digits.startIndex + 2 * index
          guard let high = value(of: digits[first]), let low = value(of: digits[first + 1]) else { throw .malformedHex }
          output[index] = high << 4 | low
        }
      }
    }
  }

  private static func digits(in buffer: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer.SubSequence {
    var rest = buffer[...]
    while let first = rest.first, isSpace(first) { rest = rest.dropFirst() }
    while let last = rest.last, isSpace(last) { rest = rest.dropLast() }
    if rest.starts(with: [UInt8(ascii: "0"), UInt8(ascii: "x")]) { rest = rest.dropFirst(2) }
    return rest
  }

  private static func isSpace(_ character: UInt8) -> Bool {
    character == UInt8(ascii: " ") || (9...13).contains(character)
  }

  private static func value(of character: UInt8) -> UInt8? {
    switch character {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): character - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
