/// The signature scheme of an operator set, as the key registrar contract knows it.
package enum SignatureCurve: String, Hashable, Sendable, Codable, CaseIterable {
  /// secp256k1 with recoverable ECDSA signatures (65 bytes: r, s, v).
  case ecdsa
  /// BLS on BN254 (alt_bn128): signatures in G1 (64 bytes), public keys in G2 (128 bytes).
  case bn254
}
