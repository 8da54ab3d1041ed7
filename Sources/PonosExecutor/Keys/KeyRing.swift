import PonosCore
import PonosCrypto

/// The operator's signing keys, one for each curve at the most.
package struct KeyRing: Sendable {
  private let keys: [SignatureCurve: SigningKey]

  package init(_ keys: [SigningKey]) {
    self.keys = Dictionary(keys.map { ($0.curve, $0) }, uniquingKeysWith: { first, _ in first })
  }

  package subscript(curve: SignatureCurve) -> SigningKey? { keys[curve] }

  /// The curves there is a key of.
  package var curves: Set<SignatureCurve> { Set(keys.keys) }

  /// The key that answers for the operator in management calls: ECDSA where there is one, else BN254.
  package var managementKey: SigningKey? { keys[.ecdsa] ?? keys[.bn254] }

  /// What others may know of the keys, by curve: an address or a public key.
  package var publicDescriptions: [SignatureCurve: String] { keys.mapValues(\.description) }
}
