/// The answer of a contract does not have the one shape that its function gives.
package enum ABIError: Error, Hashable, Sendable, CustomStringConvertible {
  /// No bytes at all: there is no code at the address, or the node answers so for a state it no longer has.
  case empty
  /// Another length than the function's answer has, in bytes; `expected` is what was still needed or allowed.
  case length(expected: Int, actual: Int)
  /// Bytes of padding that are not zero, at this offset.
  case dirtyPadding(at: Int)
  /// A number that its Solidity type or enum does not have, in the word at this offset.
  case outOfRange(type: String, at: Int)
  /// An offset that does not lead where a canonical encoding puts the part.
  case offset(expected: Int, at: Int)
  /// A list or byte string longer than this client reads.
  case tooLong(limit: Int, at: Int)

  package var description: String {
    switch self {
    case .empty: "the answer is empty (0x), so there is no contract at this address, or the node lacks the state of that block"
    case .length(let expected, let actual): "the answer has \(actual) bytes where \(expected) are expected"
    case .dirtyPadding(let offset): "padding at byte \(offset) is not zero"
    case .outOfRange(let type, let offset): "the word at byte \(offset) is no \(type)"
    case .offset(let expected, let offset): "the offset at byte \(offset) does not lead to byte \(expected)"
    case .tooLong(let limit, let offset): "the length at byte \(offset) is above \(limit)"
    }
  }
}
