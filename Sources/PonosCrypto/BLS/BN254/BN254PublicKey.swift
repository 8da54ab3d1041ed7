import CMclBN256
import PonosCore

/// A public key for BLS signatures on BN254: a point of G2's prime-order subgroup other than infinity.
package struct BN254PublicKey: Sendable {
  /// 128 bytes: X.A1, X.A0, Y.A1, Y.A0 (imaginary parts first), each 32 bytes big-endian.
  package let bytes: [UInt8]
  let point: BN254G2

  /// Reads exactly 128 bytes, coordinates below p, on the curve, in the subgroup, not infinity.
  package init(bytes: [UInt8]) throws(KeyError) {
    guard bytes.count == 128 else { throw .wrongLength(expected: "128", actual: bytes.count) }
    do {
      point = try BN254G2(bytes: bytes)
    } catch {
      switch error {
      case .notOnCurve: throw .notOnCurve
      case .wrongSubgroup: throw .wrongSubgroup
      case .infinity: throw .pointAtInfinity
      }
    }
    self.bytes = bytes
  }

  /// Wraps a multiple of the generator other than infinity.
  init(_ point: BN254G2) {
    self.point = point
    bytes = point.bytes
  }

  /// 64 bytes: X with flags in the top two bits.
  package var compressed: [UInt8] { point.compressed }
}

extension BN254PublicKey: Hashable {
  package static func == (left: BN254PublicKey, right: BN254PublicKey) -> Bool { left.bytes == right.bytes }
  package func hash(into hasher: inout Hasher) { hasher.combine(bytes) }
}

extension BN254PublicKey: CustomStringConvertible {
  package var description: String { Hex.encodePrefixed(bytes) }
}

extension BN254PublicKey {
  /// Whether this key made `signature` over `digest`.
  package func verify(_ digest: Digest32, hashing: BN254Hashing, signature: BN254Signature) -> Bool {
    defect(signature: signature.point, message: hashing.point(for: digest)).isOne
  }

  /// Whether this key made every one of the signatures; true for none.
  ///
  /// Costs one pairing check, and two short multiplications for each signature (``BN254Combination``). Does not tell which signature is
  /// wrong.
  package func verifyBatch(_ statements: [BN254Statement]) -> Bool {
    BN254Combination([BN254Claim(statements)], of: self).defect(of: 0..<1).isOne
  }

  /// e(message, key) divided by e(signature, generator): one when the signature is this key's.
  func defect(signature: BN254G1, message: BN254G1) -> BN254GT {
    BN254GT(pairing: [(signature.negated, .generator), (message, point)])
  }
}
