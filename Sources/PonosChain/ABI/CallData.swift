import PonosCore
import PonosCrypto

/// Writes the input of a contract call: the selector, then a word for each static value.
package struct CallData {
  /// What was written so far.
  package private(set) var bytes: [UInt8]

  /// Begins with the first four bytes of the hash of `signature`, for example `getAVSRegistrar(address)`.
  package init(_ signature: String) {
    bytes = Array(Keccak256.hash(Array(signature.utf8)).bytes.prefix(4))
  }

  /// Appends `address`, padded with zeros on the left.
  package mutating func append(_ address: EthereumAddress) {
    bytes.append(contentsOf: repeatElement(0, count: 12))
    bytes.append(contentsOf: address.bytes)
  }

  /// Appends a number, padded with zeros on the left.
  package mutating func append(_ number: UInt64) {
    bytes.append(contentsOf: repeatElement(0, count: 24))
    bytes.append(contentsOf: (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * $0)) })
  }

  /// Appends an `OperatorSet`: a static tuple of two words in place.
  package mutating func append(_ set: OperatorSet) {
    append(set.avs)
    append(UInt64(set.id))
  }

  /// Appends a word as it is.
  package mutating func append(_ word: some FixedBytes) {
    precondition(word.bytes.count == 32)
    bytes.append(contentsOf: word.bytes)
  }

  /// Appends the length of `content`, then `content`, padded with zeros on the right; the tail of a dynamic value.
  package mutating func appendTail(_ content: [UInt8]) {
    append(UInt64(content.count))
    bytes.append(contentsOf: content)
    bytes.append(contentsOf: repeatElement(0, count: (32 - content.count % 32) % 32))
  }
}
