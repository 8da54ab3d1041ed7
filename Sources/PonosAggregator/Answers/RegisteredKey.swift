import PonosCore
import PonosCrypto

/// What an operator registered for an executor operator set, with what digests of its certificates depend on.
package enum RegisteredKey: Sendable {
  /// `contract` is the certificate verifier, whose address is part of what is signed.
  case ecdsa(signer: EthereumAddress, contract: EthereumAddress)
  case bn254(BN254PublicKey)

  /// - Parameter contract: The certificate verifier of ECDSA; of no account for BN254.
  package init(_ key: VerificationKey, contract: EthereumAddress) {
    switch key {
    case .ecdsa(let signer): self = .ecdsa(signer: signer, contract: contract)
    case .bn254(let publicKey): self = .bn254(publicKey)
    }
  }

  /// What signatures are checked against.
  package var key: VerificationKey {
    switch self {
    case .ecdsa(let signer, _): .ecdsa(signer)
    case .bn254(let publicKey): .bn254(publicKey)
    }
  }

  /// What the result signature is over.
  package func certificate(of message: ResultMessage, referenceTimestamp: UInt32) -> CertificateDigest {
    switch self {
    case .ecdsa(_, let contract):
      .ecdsa(messageHash: message.digest, referenceTimestamp: referenceTimestamp, verifier: contract)
    case .bn254:
      .bn254(messageHash: message.digest, referenceTimestamp: referenceTimestamp)
    }
  }
}
