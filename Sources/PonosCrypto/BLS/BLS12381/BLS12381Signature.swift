import CBlst
import PonosCore

/// A BLS signature on BLS12-381: a point of G1 other than infinity.
package struct BLS12381Signature: Sendable {
  /// The domain separation tag of the public executor's library; its suffix is not a standard one.
  static let tag = Array("BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_".utf8)

  /// 96 bytes: X, Y, each 48 bytes big-endian.
  package let bytes: [UInt8]
  let point: blst_p1_affine

  /// Reads 96 bytes (X and Y) or 48 bytes (X with flags in the top three bits): on the curve, in the subgroup, not infinity.
  package init(bytes: [UInt8]) throws(SignatureError) {
    var point = blst_p1_affine()
    let status: BLST_ERROR
    switch (bytes.count, BLS12381Encoding(firstByte: bytes.first)) {
    case (96, .uncompressed): status = blst_p1_deserialize(&point, bytes)
    case (48, .compressed): status = blst_p1_uncompress(&point, bytes)
    case (96, .infinity), (48, .infinity): throw .malformed(.infinity)
    case (96, _), (48, _): throw .malformed(.unknownEncoding)
    default: throw .malformed(.length(expected: 96, actual: bytes.count))
    }
    guard status == BLST_SUCCESS else { throw .malformed(.notOnCurve) }
    guard !blst_p1_affine_is_inf(&point) else { throw .malformed(.infinity) }
    guard blst_p1_affine_in_g1(&point) else { throw .malformed(.wrongSubgroup) }
    self.init(point)
  }

  /// Wraps a point of the group other than infinity.
  init(_ point: blst_p1_affine) {
    self.point = point
    var point = point
    var bytes = [UInt8](repeating: 0, count: 96)
    blst_p1_affine_serialize(&bytes, &point)
    self.bytes = bytes
  }

  /// 48 bytes: X with flags in the top three bits.
  package var compressed: [UInt8] {
    var point = point
    var bytes = [UInt8](repeating: 0, count: 48)
    blst_p1_affine_compress(&bytes, &point)
    return bytes
  }

  /// RFC 9380 hash_to_curve with SHA-256 and the simplified SWU map.
  static func hashToG1(_ message: [UInt8]) -> blst_p1 {
    var point = blst_p1()
    blst_hash_to_g1(&point, message, message.count, tag, tag.count, nil, 0)
    return point
  }
}

extension BLS12381Signature: Hashable {
  package static func == (left: BLS12381Signature, right: BLS12381Signature) -> Bool { left.bytes == right.bytes }
  package func hash(into hasher: inout Hasher) { hasher.combine(bytes) }
}

extension BLS12381Signature: CustomStringConvertible {
  package var description: String { Hex.encodePrefixed(bytes) }
}

/// What the top three bits of an encoded point say (compressed, infinity, larger Y).
enum BLS12381Encoding: Equatable {
  case uncompressed, compressed, infinity, unknown

  init(firstByte: UInt8?) {
    switch (firstByte ?? 0xff) >> 5 {
    case 0b000: self = .uncompressed
    case 0b100, 0b101: self = .compressed
    case 0b010, 0b110: self = .infinity
    default: self = .unknown
    }
  }
}
