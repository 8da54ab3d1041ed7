import PonosCore

/// The two signatures a task result carries.
package struct ResultSignatures: Hashable, Sendable {
  /// Over the certificate; what aggregators put on chain.
  package let result: [UInt8]
  /// Over the auth message, which names the result signature.
  package let auth: [UInt8]

  package init(result: [UInt8], auth: [UInt8]) {
    self.result = result
    self.auth = auth
  }
}

extension VerificationKey {
  /// Returns when this key made both signatures of a result.
  package func verifyResult(
    _ certificate: CertificateDigest, authDigest: Digest32, signatures: ResultSignatures
  ) throws(SignatureError) {
    guard case .bn254(let key) = self, certificate.curve == .bn254 else {
      try verifyCertificate(certificate, signature: signatures.result)
      return try verifyMessage(authDigest, signature: signatures.auth)
    }
    guard key.verifyBatch(try signatures.statements(certificate, authDigest: authDigest)) else { throw .doesNotVerify }
  }
}

extension ResultSignatures {
  /// What both signatures say when they are of BN254.
  func statements(
    _ certificate: CertificateDigest, authDigest: Digest32
  ) throws(SignatureError) -> [BN254Statement] {
    [
      BN254Statement(digest: certificate.digest, hashing: .solidity, signature: try BN254Signature(bytes: result)),
      BN254Statement(digest: authDigest, hashing: .xmd, signature: try BN254Signature(bytes: auth)),
    ]
  }
}
