import PonosCore

/// A key of this executor. Every signature it gives out has been verified against its own public key.
package enum SigningKey: Sendable {
  case ecdsa(ECDSAPrivateKey)
  case bn254(BN254PrivateKey)

  /// Reads hex digits, with or without `0x`, white space around them ignored: 32 bytes for ECDSA, any length for BN254.
  package init(curve: SignatureCurve, hex: SecretBytes) throws(KeyError) {
    switch curve {
    case .ecdsa: self = .ecdsa(try ECDSAPrivateKey(hex: hex))
    case .bn254: self = .bn254(try BN254PrivateKey(hex: hex))
    }
  }

  /// A new random key.
  package static func generate(_ curve: SignatureCurve) throws(KeyError) -> SigningKey {
    switch curve {
    case .ecdsa: .ecdsa(try ECDSAPrivateKey.generate())
    case .bn254: .bn254(try BN254PrivateKey.generate())
    }
  }

  package var curve: SignatureCurve {
    switch self {
    case .ecdsa: .ecdsa
    case .bn254: .bn254
    }
  }

  /// The public side, which others check this key's signatures against.
  package var verificationKey: VerificationKey {
    switch self {
    case .ecdsa(let key): .ecdsa(key.address)
    case .bn254(let key): .bn254(key.publicKey)
    }
  }

  /// Signs a result's certificate: 65 bytes for ECDSA, 64 for BN254.
  package func signCertificate(_ certificate: CertificateDigest) throws(SigningError) -> [UInt8] {
    let signature = try rawCertificateSignature(certificate)
    try check { key throws(SignatureError) in try key.verifyCertificate(certificate, signature: signature) }
    return signature
  }

  /// Signs a message (a task submission, an auth message, a challenge): 65 bytes for ECDSA, 64 for BN254.
  package func signMessage(_ digest: Digest32) throws(SigningError) -> [UInt8] {
    let signature = try rawMessageSignature(digest)
    try check { key throws(SignatureError) in try key.verifyMessage(digest, signature: signature) }
    return signature
  }

  /// Makes both signatures of a result at once; on BN254 they share one verification.
  package func signResult(
    _ certificate: CertificateDigest, taskID: TaskID, operatorSet: OperatorSet, operatorAddress: EthereumAddress
  ) throws(SigningError) -> ResultSignatures {
    let (signatures, authDigest) = try rawResultSignatures(
      certificate, taskID: taskID, operatorSet: operatorSet, operatorAddress: operatorAddress)
    try check { key throws(SignatureError) in
      try key.verifyResult(certificate, authDigest: authDigest, signatures: signatures)
    }
    return signatures
  }

  /// Makes both signatures and lets `holds` verify them on BN254. `holds` may check the claim together with others of the key, and
  /// returns whether the key made every signature of the claim.
  package func signResult(
    _ certificate: CertificateDigest, taskID: TaskID, operatorSet: OperatorSet, operatorAddress: EthereumAddress,
    holds: (_ claim: BN254Claim, _ key: BN254PublicKey) async -> Bool
  ) async throws(SigningError) -> ResultSignatures {
    guard case .bn254(let key) = self else {
      return try signResult(certificate, taskID: taskID, operatorSet: operatorSet, operatorAddress: operatorAddress)
    }
    let (signatures, authDigest) = try rawResultSignatures(
      certificate, taskID: taskID, operatorSet: operatorSet, operatorAddress: operatorAddress)
    let statements: [BN254Statement]
    do throws(SignatureError) { statements = try signatures.statements(certificate, authDigest: authDigest) } catch {
      throw .selfVerificationFailed
    }
    guard await holds(BN254Claim(statements), key.publicKey) else { throw .selfVerificationFailed }
    return signatures
  }

  /// Both signatures, not verified yet, and the message that the second one signs.
  private func rawResultSignatures(
    _ certificate: CertificateDigest, taskID: TaskID, operatorSet: OperatorSet, operatorAddress: EthereumAddress
  ) throws(SigningError) -> (signatures: ResultSignatures, authDigest: Digest32) {
    let result = try rawCertificateSignature(certificate)
    let message = AuthMessage(
      taskID: taskID, operatorSet: operatorSet, operatorAddress: operatorAddress, resultSignature: result)
    return (ResultSignatures(result: result, auth: try rawMessageSignature(message.digest)), message.digest)
  }

  private func rawCertificateSignature(_ certificate: CertificateDigest) throws(SigningError) -> [UInt8] {
    guard certificate.curve == curve else { throw .wrongCurve(key: curve, certificate: certificate.curve) }
    return switch self {
    case .ecdsa(let key): try key.sign(certificate.digest).bytes
    case .bn254(let key): key.sign(certificate.digest, hashing: .solidity).bytes
    }
  }

  private func rawMessageSignature(_ digest: Digest32) throws(SigningError) -> [UInt8] {
    switch self {
    case .ecdsa(let key): try key.sign(digest).bytes
    case .bn254(let key): key.sign(digest, hashing: .xmd).bytes
    }
  }

  private func check(_ verification: (VerificationKey) throws(SignatureError) -> Void) throws(SigningError) {
    do {
      try verification(verificationKey)
    } catch {
      throw .selfVerificationFailed
    }
  }
}

extension SigningKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// The curve and the address or public key; never the secret.
  package var description: String { "\(curve.rawValue) \(verificationKey)" }
  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: ["key": verificationKey.description]) }
}

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
  fileprivate func statements(
    _ certificate: CertificateDigest, authDigest: Digest32
  ) throws(SignatureError) -> [BN254Statement] {
    [
      BN254Statement(digest: certificate.digest, hashing: .solidity, signature: try BN254Signature(bytes: result)),
      BN254Statement(digest: authDigest, hashing: .xmd, signature: try BN254Signature(bytes: auth)),
    ]
  }
}
