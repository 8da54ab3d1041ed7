import CBlst
import PonosCore

/// A public key for BLS signatures on BLS12-381: a point of G2 other than infinity.
package struct BLS12381PublicKey: Sendable {
  /// 192 bytes: X.A1, X.A0, Y.A1, Y.A0 (imaginary parts first), each 48 bytes big-endian.
  package let bytes: [UInt8]
  private let point: blst_p2_affine

  /// Reads 192 bytes (X and Y) or 96 bytes (X with flags in the top three bits): on the curve, in the subgroup, not infinity.
  package init(bytes: [UInt8]) throws(KeyError) {
    var point = blst_p2_affine()
    let status: BLST_ERROR
    switch (bytes.count, BLS12381Encoding(firstByte: bytes.first)) {
    case (192, .uncompressed): status = blst_p2_deserialize(&point, bytes)
    case (96, .compressed): status = blst_p2_uncompress(&point, bytes)
    case (192, .infinity), (96, .infinity): throw .pointAtInfinity
    case (192, _), (96, _): throw .unknownEncoding
    default: throw .wrongLength(expected: "192 or 96", actual: bytes.count)
    }
    guard status == BLST_SUCCESS else { throw .notOnCurve }
    guard !blst_p2_affine_is_inf(&point) else { throw .pointAtInfinity }
    guard blst_p2_affine_in_g2(&point) else { throw .wrongSubgroup }
    self.init(point)
  }

  /// Wraps a multiple of the generator other than infinity.
  init(_ point: blst_p2_affine) {
    self.point = point
    var point = point
    var bytes = [UInt8](repeating: 0, count: 192)
    blst_p2_affine_serialize(&bytes, &point)
    self.bytes = bytes
  }

  /// 96 bytes: X with flags in the top three bits.
  package var compressed: [UInt8] {
    var point = point
    var bytes = [UInt8](repeating: 0, count: 96)
    blst_p2_affine_compress(&bytes, &point)
    return bytes
  }

  /// Whether this key made `signature` over `message`.
  package func verify(_ message: [UInt8], signature: BLS12381Signature) -> Bool {
    var key = point
    var signature = signature.point
    let tag = BLS12381Signature.tag
    return blst_core_verify_pk_in_g2(&key, &signature, true, message, message.count, tag, tag.count, nil, 0) == BLST_SUCCESS
  }
}

extension BLS12381PublicKey: Hashable {
  package static func == (left: BLS12381PublicKey, right: BLS12381PublicKey) -> Bool { left.bytes == right.bytes }
  package func hash(into hasher: inout Hasher) { hasher.combine(bytes) }
}

extension BLS12381PublicKey: CustomStringConvertible {
  package var description: String { Hex.encodePrefixed(bytes) }
}
