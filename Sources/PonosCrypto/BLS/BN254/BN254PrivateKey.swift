import PonosCore

/// A private key for BLS signatures on BN254; prints as its public key.
package struct BN254PrivateKey: Sendable {
  /// 32 bytes, big-endian, above zero and below r.
  let scalar: SecretBytes
  /// The key that verifies, in G2.
  package let publicKey: BN254PublicKey
  /// The copy of the public key in G1 that contracts keep beside the one in G2: 64 bytes, X and Y.
  package let publicKeyG1: [UInt8]
  /// `publicKeyG1` in 32 bytes: X with flags in the top two bits.
  package let publicKeyG1Compressed: [UInt8]

  /// Takes an integer, big-endian, of any length and reduces it modulo r; the result must not be zero.
  package init(scalar: SecretBytes) throws(KeyError) {
    let reduced = scalar.withUnsafeBytes { BN254Scalar.reduce($0) }
    try self.init(reduced: reduced)
  }

  /// Takes hex digits of any even number, with or without `0x`, white space around them ignored; reduced like a scalar.
  package init(hex: SecretBytes) throws(KeyError) {
    try self.init(scalar: SecretHex.decode(hex))
  }

  /// Takes 32 bytes, big-endian, below r.
  init(reduced scalar: SecretBytes) throws(KeyError) {
    guard scalar.withUnsafeBytes({ $0.contains { $0 != 0 } }) else { throw .scalarOutOfRange }
    self.scalar = scalar
    let (g1, g2) = BN254Scalar.withRaw(scalar) { raw in
      (BN254G1.generator.multiplied(bySecret: raw), BN254G2.generator.multiplied(bySecret: raw))
    }
    publicKey = BN254PublicKey(g2)
    publicKeyG1 = g1.bytes
    publicKeyG1Compressed = g1.compressed
  }

  /// A new random key.
  package static func generate() throws(KeyError) -> BN254PrivateKey {
    // 48 random bytes make the bias of the reduction negligible.
    try BN254PrivateKey(scalar: SecretBytes(count: 48) { Entropy.fill($0) })
  }

  /// The secret scalar times the point that `digest` hashes to.
  package func sign(_ digest: Digest32, hashing: BN254Hashing) -> BN254Signature {
    let point = hashing.point(for: digest)
    return BN254Signature(BN254Scalar.withRaw(scalar) { point.multiplied(bySecret: $0) })
  }
}

extension BN254PrivateKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  package var description: String { "BN254 key of \(publicKey)" }
  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: ["publicKey": publicKey]) }
}
