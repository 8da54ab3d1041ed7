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
    let signature = try sign(.certificate(certificate))
    try check { key throws(SignatureError) in try key.verifyCertificate(certificate, signature: signature) }
    return signature
  }

  /// Signs a message (a task submission, an auth message, a challenge): 65 bytes for ECDSA, 64 for BN254.
  package func signMessage(_ digest: Digest32) throws(SigningError) -> [UInt8] {
    let signature = try sign(.message(digest))
    try check { key throws(SignatureError) in try key.verifyMessage(digest, signature: signature) }
    return signature
  }

  /// Makes both signatures of a result at once; on BN254 they share one verification.
  package func signResult(
    _ certificate: CertificateDigest, taskID: TaskID, operatorSet: OperatorSet, operatorAddress: EthereumAddress
  ) throws(SigningError) -> ResultSignatures {
    let result = try sign(.certificate(certificate))
    let message = AuthMessage(
      taskID: taskID, operatorSet: operatorSet, operatorAddress: operatorAddress, resultSignature: result)
    let signatures = ResultSignatures(result: result, auth: try sign(.message(message.digest)))
    try check { key throws(SignatureError) in
      try key.verifyResult(certificate, authDigest: message.digest, signatures: signatures)
    }
    return signatures
  }

  /// A signature that nobody has verified yet.
  private func sign(_ request: SigningRequest) throws(SigningError) -> [UInt8] {
    switch (self, request) {
    case (_, .certificate(let certificate)) where certificate.curve != curve:
      throw .wrongCurve(key: curve, certificate: certificate.curve)
    case (.ecdsa(let key), .certificate(let certificate)): return try key.sign(certificate.digest).bytes
    case (.ecdsa(let key), .message(let digest)): return try key.sign(digest).bytes
    case (.bn254(let key), .certificate(let certificate)): return key.sign(certificate.digest, hashing: .solidity).bytes
    case (.bn254(let key), .message(let digest)): return key.sign(digest, hashing: .xmd).bytes
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

extension SigningKey {
  /// The key as a signer of this process.
  package var signer: Signer {
    Signer(verificationKey: verificationKey) { request throws(SigningError) in try sign(request) }
  }
}

extension SigningKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// The curve and the address or public key; never the secret.
  package var description: String { "\(curve.rawValue) \(verificationKey)" }
  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: ["key": verificationKey.description]) }
}
