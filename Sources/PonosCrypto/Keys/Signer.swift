import PonosCore

/// What a signing key is asked to sign.
package enum SigningRequest: Sendable {
  /// A result's certificate, whose curve has to be the key's.
  case certificate(CertificateDigest)
  /// An auth message, a session's proof or a challenge.
  case message(Digest32)
}

/// A signing key of the operator, whether it is in this process or somewhere else: makes signatures for who holds it.
///
/// A signer is not believed: its signatures count only when they verify against `verificationKey`, and who asks for one verifies it
/// before it leaves the process.
package struct Signer: Sendable {
  /// What others check the signatures against.
  package let verificationKey: VerificationKey
  private let make: @Sendable (SigningRequest) async throws(SigningError) -> [UInt8]

  /// - Parameter make: Makes a signature: 65 bytes for ECDSA, 64 for BN254.
  package init(
    verificationKey: VerificationKey, make: @escaping @Sendable (SigningRequest) async throws(SigningError) -> [UInt8]
  ) {
    self.verificationKey = verificationKey
    self.make = make
  }

  package var curve: SignatureCurve { verificationKey.curve }

  /// A signature that nobody has verified yet: 65 bytes for ECDSA, 64 for BN254.
  package func sign(_ request: SigningRequest) async throws(SigningError) -> [UInt8] { try await make(request) }
}

extension Signer: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// The curve and the address or public key; never the secret.
  package var description: String { "\(curve.rawValue) \(verificationKey)" }
  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: ["key": verificationKey.description]) }
}
