import CSecp256k1
import PonosCore

/// A secp256k1 private key; prints as the address of its public key.
package struct ECDSAPrivateKey: Sendable {
  /// 32 bytes, big-endian, above zero and below the group order.
  let scalar: SecretBytes
  package let publicKey: ECDSAPublicKey
  /// The account of `publicKey`.
  package let address: EthereumAddress

  /// Takes exactly 32 bytes, big-endian, above zero and below the group order.
  package init(scalar: SecretBytes) throws(KeyError) {
    guard scalar.count == 32 else { throw .wrongLength(expected: "32", actual: scalar.count) }
    let publicKey: ECDSAPublicKey? = scalar.withUnsafeBytes { bytes in
      let scalar = bytes.assumingMemoryBound(to: UInt8.self).baseAddress!
      var key = secp256k1_pubkey()
      guard secp256k1_ec_pubkey_create(Secp256k1.context, &key, scalar) == 1 else { return nil }
      return ECDSAPublicKey(key)
    }
    guard let publicKey else { throw .scalarOutOfRange }
    self.scalar = scalar
    self.publicKey = publicKey
    address = publicKey.address
  }

  /// Takes 64 hex digits, with or without `0x`, white space around them ignored.
  package init(hex: SecretBytes) throws(KeyError) {
    try self.init(scalar: SecretHex.decode(hex))
  }

  /// A new random key.
  package static func generate() throws(KeyError) -> ECDSAPrivateKey {
    // A random scalar is out of range once in 2^128 draws, so an error here means a broken source of randomness.
    try ECDSAPrivateKey(scalar: SecretBytes(count: 32) { Entropy.fill($0) })
  }

  /// Signs `digest` with the deterministic nonce of RFC 6979; the result has low s.
  package func sign(_ digest: Digest32) throws(SigningError) -> ECDSASignature {
    let signature: ECDSASignature? = scalar.withUnsafeBytes { bytes in
      let scalar = bytes.assumingMemoryBound(to: UInt8.self).baseAddress!
      var signature = secp256k1_ecdsa_recoverable_signature()
      let signed = secp256k1_ecdsa_sign_recoverable(Secp256k1.context, &signature, digest.bytes, scalar, nil, nil)
      return signed == 1 ? ECDSASignature(signature) : nil
    }
    guard let signature else { throw .libraryFailure }
    return signature
  }
}

extension ECDSAPrivateKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  package var description: String { "ECDSA key of \(address)" }
  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: ["address": address]) }
}
