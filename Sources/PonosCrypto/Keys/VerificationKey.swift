import PonosCore

/// The public side of somebody else's key, as the key registrar contract knows it.
package enum VerificationKey: Hashable, Sendable {
  /// Address of a secp256k1 key. Usually not the operator's own address: operators register a signing key per set.
  case ecdsa(EthereumAddress)
  case bn254(BN254PublicKey)

  package var curve: SignatureCurve {
    switch self {
    case .ecdsa: .ecdsa
    case .bn254: .bn254
    }
  }

  /// Returns when this key signed `digest` as a message: a task submission, an auth message or a challenge.
  package func verifyMessage(_ digest: Digest32, signature: [UInt8]) throws(SignatureError) {
    try verify(digest, hashing: .xmd, signature: signature)
  }

  /// Returns when this key signed `certificate`, whose curve has to be the key's.
  package func verifyCertificate(_ certificate: CertificateDigest, signature: [UInt8]) throws(SignatureError) {
    guard certificate.curve == curve else { throw .wrongCurve(key: curve, message: certificate.curve) }
    try verify(certificate.digest, hashing: .solidity, signature: signature)
  }

  private func verify(_ digest: Digest32, hashing: BN254Hashing, signature: [UInt8]) throws(SignatureError) {
    switch self {
    case .ecdsa(let address):
      try ECDSASignature(bytes: signature).verify(digest, signer: address)
    case .bn254(let key):
      guard key.verify(digest, hashing: hashing, signature: try BN254Signature(bytes: signature)) else {
        throw .doesNotVerify
      }
    }
  }
}

extension VerificationKey: CustomStringConvertible {
  /// The address, or the public key's 128 bytes in hex.
  package var description: String {
    switch self {
    case .ecdsa(let address): address.description
    case .bn254(let key): key.description
    }
  }
}
