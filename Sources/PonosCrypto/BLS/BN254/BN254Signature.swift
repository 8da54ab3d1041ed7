import PonosCore

/// A BLS signature on BN254: a point of G1 other than infinity.
package struct BN254Signature: Hashable, Sendable {
  /// 64 bytes: X, Y, each 32 bytes big-endian.
  package let bytes: [UInt8]

  /// Reads exactly 64 bytes, coordinates below p, on the curve (and so in the group), not infinity.
  package init(bytes: [UInt8]) throws(SignatureError) {
    guard bytes.count == 64 else { throw .malformed(.length(expected: 64, actual: bytes.count)) }
    guard bytes.contains(where: { $0 != 0 }) else { throw .malformed(.infinity) }
    guard
      let x = BN254Field(bytes: bytes[..<32]), let y = BN254Field(bytes: bytes[32...]), BN254G1(x: x, y: y) != nil
    else { throw .malformed(.notOnCurve) }
    self.bytes = bytes
  }

  /// Wraps a point other than infinity.
  init(_ point: BN254G1) {
    bytes = point.bytes
  }

  /// The point the bytes name; they were checked on the way in.
  var point: BN254G1 {
    guard
      let x = BN254Field(bytes: bytes[..<32]), let y = BN254Field(bytes: bytes[32...]), let point = BN254G1(x: x, y: y)
    else { preconditionFailure("a signature is a point by construction") }
    return point
  }
}

extension BN254Signature: CustomStringConvertible {
  package var description: String { Hex.encodePrefixed(bytes) }
}
