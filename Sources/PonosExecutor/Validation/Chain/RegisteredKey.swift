import PonosChain
import PonosCore
import PonosCrypto

/// A signing key as the key registrar contract has it.
enum RegisteredKey: Hashable, Sendable, CustomStringConvertible {
  case ecdsa(EthereumAddress)
  case bn254(RegisteredBN254Key)

  /// Throws for bytes that are no key of the curve; the contract checks what it is given, so that does not happen.
  func verificationKey() throws(KeyError) -> VerificationKey {
    switch self {
    case .ecdsa(let address): .ecdsa(address)
    case .bn254(let key): .bn254(try BN254PublicKey(bytes: key.g2))
    }
  }

  /// Whether it is the public part of `key`. Compares bytes only.
  func isPublicPart(of key: VerificationKey) -> Bool {
    switch (self, key) {
    case (.ecdsa(let address), .ecdsa(let other)): address == other
    case (.bn254(let registered), .bn254(let other)): registered.g2 == other.bytes
    default: false
    }
  }

  /// The address, or the G2 key in hex.
  var description: String {
    switch self {
    case .ecdsa(let address): address.description
    case .bn254(let key): Hex.encodePrefixed(key.g2)
    }
  }
}
