import PonosPerformer

/// A natural number of any length, written as hexadecimal text.
struct HexNumber: Equatable {
  /// Longest text accepted, in digits: the work grows with the square of the length.
  static let maxDigits = 16_384

  /// Little-endian, base 2³²; no leading zeros, so zero has no limbs.
  private(set) var limbs: [UInt32]

  /// Reads hexadecimal digits of either case, with or without `0x` before them.
  init(text: String) throws(PerformerError) {
    let digits = text.hasPrefix("0x") || text.hasPrefix("0X") ? text.dropFirst(2) : text[...]
    guard !digits.isEmpty else {
      throw .permanent("the payload is empty: send a number in hexadecimal, such as 0x04")
    }
    guard digits.utf8.count <= Self.maxDigits else {
      throw .permanent("the number has \(digits.utf8.count) digits: at most \(Self.maxDigits) are accepted")
    }
    limbs = []
    var rest = Array(digits.utf8)[...]
    while !rest.isEmpty {
      let text = String(decoding: rest.suffix(8), as: UTF8.self)
      // UInt32(_:radix:) would take a sign.
      guard text.utf8.allSatisfy({ UnicodeScalar($0).properties.isASCIIHexDigit }), let limb = UInt32(text, radix: 16) else {
        throw .permanent("the payload is not hexadecimal: only 0-9 and a-f may follow the optional 0x")
      }
      limbs.append(limb)
      rest = rest.dropLast(8)
    }
    dropLeadingZeros()
  }

  private init(limbs: [UInt32]) {
    self.limbs = limbs
    dropLeadingZeros()
  }

  /// Lower-case, `0x` first, an even number of digits: `0x00`, `0x10`, `0x0271`.
  var text: String {
    var digits = limbs.reversed().reduce(into: "") { digits, limb in
      let part = String(limb, radix: 16)
      digits += (digits.isEmpty ? "" : String(repeating: "0", count: 8 - part.count)) + part
    }
    if digits.isEmpty { digits = "00" }
    return "0x" + (digits.count.isMultiple(of: 2) ? "" : "0") + digits
  }

  /// The product with itself, by long multiplication.
  func squared() -> HexNumber {
    var product = [UInt32](repeating: 0, count: limbs.count * 2)
    for (row, factor) in limbs.enumerated() {
      var carry: UInt64 = 0
      for (column, other) in limbs.enumerated() {
        // Cannot overflow: (2³²-1)² + 2(2³²-1) = 2⁶⁴-1.
        let sum = UInt64(factor) * UInt64(other) + UInt64(product[row + column]) + carry
        product[row + column] = UInt32(truncatingIfNeeded: sum)
        carry = sum >> 32
      }
      product[row + limbs.count] = UInt32(carry)
    }
    return HexNumber(limbs: product)
  }

  private mutating func dropLeadingZeros() {
    while limbs.last == 0 { limbs.removeLast() }
  }
}
