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

/// One signature to check, with what it is said to be over.
package struct BN254Statement: Hashable, Sendable {
  package var digest: Digest32
  package var hashing: BN254Hashing
  package var signature: BN254Signature

  package init(digest: Digest32, hashing: BN254Hashing, signature: BN254Signature) {
    self.digest = digest
    self.hashing = hashing
    self.signature = signature
  }
}

extension BN254PublicKey {
  /// Whether this key made `signature` over `digest`.
  package func verify(_ digest: Digest32, hashing: BN254Hashing, signature: BN254Signature) -> Bool {
    isProductOne(signature.point, hashing.point(for: digest))
  }

  /// Whether this key made every one of the signatures; true for none.
  ///
  /// Costs one pairing check and, for each statement, a multiplication by a random odd 128-bit number on either side: a
  /// set with a wrong signature passes with a chance of 2^-127. Which signature is wrong it does not tell.
  package func verifyBatch(_ statements: [BN254Statement]) -> Bool {
    guard statements.count > 1 else {
      return statements.allSatisfy { verify($0.digest, hashing: $0.hashing, signature: $0.signature) }
    }
    let coefficients = statements.map { _ in BN254Scalar.randomCoefficient() }
    let signatures = BN254G1.sum(statements.map(\.signature.point), times: coefficients)
    let messages = BN254G1.sum(statements.map { $0.hashing.point(for: $0.digest) }, times: coefficients)
    return isProductOne(signatures, messages)
  }

  /// Whether e(signature, generator) equals e(message, key), as one product: e(-signature, generator) · e(message, key) = 1.
  private func isProductOne(_ signature: BN254G1, _ message: BN254G1) -> Bool {
    let first = [signature.negated.raw, message.raw]
    let second = [BN254G2.generator.raw, point.raw]
    var loop = mclBnGT(), product = mclBnGT()
    mclBn_millerLoopVec(&loop, first, second, first.count)
    mclBn_finalExp(&product, &loop)
    return mclBnGT_isOne(&product) == 1
  }
}
