import PonosCore
import PonosCrypto

/// The operator's signers: one for each curve, and others for single AVSs and operator sets that go before it.
package struct KeyRing: Sendable {
  /// For which operator sets a signer is.
  package enum Scope: Hashable, Sendable {
    case all
    case avs(EthereumAddress)
    case set(OperatorSet)
  }

  private struct Place: Hashable {
    let scope: Scope
    let curve: SignatureCurve
  }

  private let signers: [Place: Signer]

  /// Signers for all operator sets; of several of one curve the first.
  package init(_ signers: [Signer]) {
    self.init(scoped: signers.map { (.all, $0) })
  }

  /// Signers for keys of this process, for all operator sets.
  package init(_ keys: [SigningKey]) {
    self.init(keys.map(\.signer))
  }

  /// The same signers, treated as if their use showed outside of the process.
  package var asIfOutside: KeyRing {
    KeyRing(
      scoped: signers.map { place, signer in
        let outside = Signer(verificationKey: signer.verificationKey) { request throws(SigningError) in
          try await signer.sign(request)
        }
        return (place.scope, outside)
      })
  }

  /// Signers with the operator sets they are for; of several for the same the first.
  package init(scoped signers: [(Scope, Signer)]) {
    self.signers = Dictionary(
      signers.map { (Place(scope: $0, curve: $1.curve), $1) }, uniquingKeysWith: { first, _ in first })
  }

  /// The operator's signer for all sets.
  package subscript(curve: SignatureCurve) -> Signer? { signers[Place(scope: .all, curve: curve)] }

  /// The signer for `set`: its own, or its AVS's, or the operator's.
  package func key(_ curve: SignatureCurve, for set: OperatorSet) -> Signer? {
    signers[Place(scope: .set(set), curve: curve)] ?? signers[Place(scope: .avs(set.avs), curve: curve)] ?? self[curve]
  }

  /// The curves that have a signer for all sets.
  package var curves: Set<SignatureCurve> { Set(signers.keys.filter { $0.scope == .all }.map(\.curve)) }

  /// The key that answers for the operator in management calls: ECDSA where there is one, else BN254.
  package var managementKey: VerificationKey? { (self[.ecdsa] ?? self[.bn254])?.verificationKey }

  /// The public side of each key for all sets, by curve: an address or a public key.
  package var publicDescriptions: [SignatureCurve: String] {
    Dictionary(uniqueKeysWithValues: curves.compactMap { curve in self[curve].map { (curve, $0.description) } })
  }
}
