import PonosCore

/// One signature to check and the message it is claimed to sign.
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

/// Signatures of one key that are accepted or refused together. Their points are read and their messages hashed to the curve.
package struct BN254Claim: Sendable {
  /// Signature and hashed message of each statement.
  let points: [(signature: BN254G1, message: BN254G1)]

  package init(_ statements: [BN254Statement]) {
    points = statements.map { ($0.signature.point, $0.hashing.point(for: $0.digest)) }
  }

  /// How many signatures it consists of.
  package var signatureCount: Int { points.count }
}
