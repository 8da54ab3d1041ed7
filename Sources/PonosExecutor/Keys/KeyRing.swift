import PonosCore
import PonosCrypto

/// The operator's signers, one for each curve at the most.
package struct KeyRing: Sendable {
  private let signers: [SignatureCurve: Signer]

  package init(_ signers: [Signer]) {
    self.signers = Dictionary(signers.map { ($0.curve, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// Signers for keys of this process.
  package init(_ keys: [SigningKey]) {
    self.init(keys.map(\.signer))
  }

  package subscript(curve: SignatureCurve) -> Signer? { signers[curve] }

  /// The curves that have a signer.
  package var curves: Set<SignatureCurve> { Set(signers.keys) }

  /// The key that answers for the operator in management calls: ECDSA where there is one, else BN254.
  package var managementKey: VerificationKey? { (signers[.ecdsa] ?? signers[.bn254])?.verificationKey }

  /// The public side of each key, by curve: an address or a public key.
  package var publicDescriptions: [SignatureCurve: String] { signers.mapValues(\.description) }
}
