import Crypto
import CryptoExtras
import FoundationEssentials

/// Private keys computed from a seed, in the way of the public executor's key library, so that a seed kept as a backup gives
/// the same key here.
///
/// Seeds have 32 bytes or more for the BLS curves and 16 bytes to 1 MiB for secp256k1.
package enum SeedDerivation {
  /// HKDF-SHA256 without salt, 32 bytes, reduced modulo the group order.
  package static func bn254(seed: SecretBytes) throws(KeyError) -> BN254PrivateKey {
    try BN254PrivateKey(scalar: hkdf(seed, info: "BN254-SeedGeneration"))
  }

  /// HKDF-SHA256 without salt, 32 bytes, reduced modulo the group order. Not the derivation of EIP-2333.
  package static func bls12381(seed: SecretBytes) throws(KeyError) -> BLS12381PrivateKey {
    try BLS12381PrivateKey(scalar: hkdf(seed, info: "BLS12-381-SeedGeneration"))
  }

  /// PBKDF2-HMAC-SHA256 with a fixed salt and 100,000 iterations, 32 bytes. Bytes not below the group order, which have a
  /// chance of 2^-128, are refused.
  package static func ecdsa(seed: SecretBytes) throws(KeyError) -> ECDSAPrivateKey {
    try check(seed, allowed: 16...(1 << 20), expected: "16 to 1048576")
    let key: SymmetricKey
    do {
      key = try seed.withUnsafeBytes { bytes in
        try KDF.Insecure.PBKDF2.deriveKey(
          from: bytes, salt: Array("secp256k1-key-derivation-salt-v1".utf8), using: .sha256, outputByteCount: 32,
          unsafeUncheckedRounds: 100_000)
      }
    } catch {
      // Only memory exhaustion can make it fail with these parameters.
      preconditionFailure("PBKDF2 failed")
    }
    return try ECDSAPrivateKey(scalar: key.withUnsafeBytes { SecretBytes(copying: $0) })
  }

  private static func hkdf(_ seed: SecretBytes, info: String) throws(KeyError) -> SecretBytes {
    try check(seed, allowed: 32...Int.max, expected: "32 or more")
    let key = seed.withUnsafeBytes { bytes in
      HKDF<SHA256>.deriveKey(
        inputKeyMaterial: SymmetricKey(data: bytes), info: Array(info.utf8), outputByteCount: 32)
    }
    return key.withUnsafeBytes { SecretBytes(copying: $0) }
  }

  private static func check(_ seed: SecretBytes, allowed: ClosedRange<Int>, expected: String) throws(KeyError) {
    guard allowed.contains(seed.count) else { throw .wrongLength(expected: expected, actual: seed.count) }
  }
}
