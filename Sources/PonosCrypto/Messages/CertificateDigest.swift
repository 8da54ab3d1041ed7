import PonosCore

/// The certificate that an executor signs for a result, in the form that the verifier contract of the operator set's curve checks.
package struct CertificateDigest: Hashable, Sendable {
  /// Curve of the executor operator set.
  package let curve: SignatureCurve
  /// The bytes whose Keccak-256 is `digest`: 66 bytes for ECDSA (EIP-712, starting 0x19 0x01), 96 bytes for BN254.
  package let preimage: [UInt8]
  /// The digest to sign or verify.
  package let digest: Digest32

  private init(curve: SignatureCurve, preimage: [UInt8]) {
    self.curve = curve
    self.preimage = preimage
    digest = Keccak256.hash(preimage)
  }

  /// The digest for a set of `curve`; `ecdsaVerifier` plays no part in BN254 certificates.
  package static func make(
    curve: SignatureCurve, messageHash: Digest32, referenceTimestamp: UInt32, ecdsaVerifier: EthereumAddress
  ) -> CertificateDigest {
    make(
      curve: curve, messageHash: messageHash, referenceTimestamp: referenceTimestamp,
      ecdsaDomain: CertificateVerifiers.domainSeparator(verifier: ecdsaVerifier))
  }

  /// The digest for a set of `curve`, with the domain separator of the verifier contract computed beforehand.
  package static func make(
    curve: SignatureCurve, messageHash: Digest32, referenceTimestamp: UInt32, ecdsaDomain: Digest32
  ) -> CertificateDigest {
    switch curve {
    case .ecdsa: ecdsa(messageHash: messageHash, referenceTimestamp: referenceTimestamp, domain: ecdsaDomain)
    case .bn254: bn254(messageHash: messageHash, referenceTimestamp: referenceTimestamp)
    }
  }

  /// EIP-712 typed data under the domain of the verifier contract at `verifier` (its proxy's address on L1).
  package static func ecdsa(
    messageHash: Digest32, referenceTimestamp: UInt32, verifier: EthereumAddress
  ) -> CertificateDigest {
    let domain = CertificateVerifiers.domainSeparator(verifier: verifier)
    return ecdsa(messageHash: messageHash, referenceTimestamp: referenceTimestamp, domain: domain)
  }

  private static func ecdsa(messageHash: Digest32, referenceTimestamp: UInt32, domain: Digest32) -> CertificateDigest {
    let structHash = Keccak256.hash(TypeHash.ecdsa + ABIWord.encode(referenceTimestamp) + messageHash.bytes)
    return CertificateDigest(curve: .ecdsa, preimage: [0x19, 0x01] + domain.bytes + structHash.bytes)
  }

  /// The struct hash alone: BN254 certificates have no domain separator, so they are the same on every chain.
  package static func bn254(messageHash: Digest32, referenceTimestamp: UInt32) -> CertificateDigest {
    CertificateDigest(
      curve: .bn254, preimage: TypeHash.bn254 + ABIWord.encode(referenceTimestamp) + messageHash.bytes)
  }

  /// EIP-712 hashes of the certificate types' signatures.
  private enum TypeHash {
    static let ecdsa = Keccak256.hash(Array("ECDSACertificate(uint32 referenceTimestamp,bytes32 messageHash)".utf8)).bytes
    static let bn254 = Keccak256.hash(Array("BN254Certificate(uint32 referenceTimestamp,bytes32 messageHash)".utf8)).bytes
  }
}
