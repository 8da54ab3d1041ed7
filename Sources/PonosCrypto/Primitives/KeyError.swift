/// Why bytes or digits are not a key. Never says what they were.
package enum KeyError: Error, Equatable, Sendable {
  /// Not an even number of hex digits after an optional `0x`.
  case malformedHex
  /// A key of `actual` bytes where `expected` (a text, such as "32") are needed.
  case wrongLength(expected: String, actual: Int)
  /// A private key that is zero or not below the order of the curve.
  case scalarOutOfRange
  /// A public key whose first byte or flag bits name no known encoding.
  case unknownEncoding
  /// A public key with a coordinate not below the field's modulus, or off the curve.
  case notOnCurve
  /// A public key outside the prime-order subgroup.
  case wrongSubgroup
  /// The point at infinity, which verifies nothing.
  case pointAtInfinity

  /// Stable name for logs and replies.
  package var code: String {
    switch self {
    case .malformedHex: "key_malformed_hex"
    case .wrongLength: "key_wrong_length"
    case .scalarOutOfRange: "key_out_of_range"
    case .unknownEncoding: "key_unknown_encoding"
    case .notOnCurve: "key_not_on_curve"
    case .wrongSubgroup: "key_wrong_subgroup"
    case .pointAtInfinity: "key_at_infinity"
    }
  }

  /// What is wrong and what to do.
  package var message: String {
    switch self {
    case .malformedHex:
      "the key is not hexadecimal: give an even number of digits 0-9 and a-f, with or without 0x"
    case .wrongLength(let expected, let actual):
      "the key has \(actual) bytes where \(expected) are needed: check that it was copied whole and belongs to this curve"
    case .scalarOutOfRange:
      "the private key is zero or not below the order of the curve: it cannot be a key of this curve, generate a new one"
    case .unknownEncoding:
      "the public key is in an unknown encoding: its first byte names neither the compressed nor the uncompressed form"
    case .notOnCurve:
      "the public key is not a point of the curve: check that it was copied whole and belongs to this curve"
    case .wrongSubgroup:
      "the public key is outside the prime-order subgroup: it was not made by a key of this curve"
    case .pointAtInfinity:
      "the public key is the point at infinity: an unregistered key reads as zeros, register the key first"
    }
  }
}

extension KeyError: CustomStringConvertible {
  package var description: String { "\(code): \(message)" }
}
