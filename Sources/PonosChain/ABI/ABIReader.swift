import PonosCore

/// Reads the answer of a contract call word by word, in the order in which a canonical encoding writes it.
///
/// Solidity and Vyper encode canonically: tails follow the heads in order, without gaps. So every offset has one right value, and
/// whatever differs is refused.
package struct ABIReader {
  /// Longest list or byte string that is read, in elements or bytes.
  static let maxLength = 1 << 20

  private let bytes: [UInt8]
  /// The next byte to read.
  private(set) var position = 0

  /// Refuses an empty answer, which no function gives, and one that does not consist of whole words.
  package init(_ bytes: [UInt8]) throws(ABIError) {
    guard !bytes.isEmpty else { throw .empty }
    guard bytes.count.isMultiple(of: 32) else { throw .length(expected: (bytes.count / 32 + 1) * 32, actual: bytes.count) }
    self.bytes = bytes
  }

  /// Throws unless every byte has been read.
  package func finish() throws(ABIError) {
    guard position == bytes.count else { throw .length(expected: position, actual: bytes.count) }
  }

  // MARK: Static values

  /// The next 32 bytes.
  package mutating func word() throws(ABIError) -> ArraySlice<UInt8> {
    let end = position + 32
    guard end <= bytes.count else { throw .length(expected: end, actual: bytes.count) }
    defer { position = end }
    return bytes[position..<end]
  }

  /// A word whose first `padding` bytes have to be zero; returns the others.
  private mutating func word(padding: Int) throws(ABIError) -> ArraySlice<UInt8> {
    let start = position
    let word = try word()
    guard word.prefix(padding).allSatisfy({ $0 == 0 }) else { throw .dirtyPadding(at: start) }
    return word.dropFirst(padding)
  }

  package mutating func address() throws(ABIError) -> EthereumAddress {
    EthereumAddress(unchecked: Array(try word(padding: 12)))
  }

  package mutating func digest() throws(ABIError) -> Digest32 {
    Digest32(unchecked: Array(try word()))
  }

  /// A number of at most 64 bits. Wider Solidity types are read with it where larger values make no sense.
  package mutating func number() throws(ABIError) -> UInt64 {
    try word(padding: 24).reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// A number of the width of `Value`.
  package mutating func number<Value: FixedWidthInteger & UnsignedInteger>(_ type: Value.Type) throws(ABIError) -> Value {
    let start = position
    guard let value = Value(exactly: try number()) else { throw .outOfRange(type: "uint\(Value.bitWidth)", at: start) }
    return value
  }

  package mutating func bool() throws(ABIError) -> Bool {
    let start = position
    switch try number() {
    case 0: return false
    case 1: return true
    default: throw .outOfRange(type: "bool", at: start)
    }
  }

  /// A case of a Solidity enum.
  package mutating func enumeration<Value: RawRepresentable<UInt8>>(_ type: Value.Type) throws(ABIError) -> Value {
    let start = position
    guard let value = Value(rawValue: try number(UInt8.self)) else { throw .outOfRange(type: "\(Value.self)", at: start) }
    return value
  }

  // MARK: Dynamic values

  /// The word that says where a dynamic part begins, counted from the byte `base`; pass the result to `begin`.
  package mutating func offset(from base: Int) throws(ABIError) -> ABITail {
    let start = position
    let offset = try number()
    guard offset <= UInt64(bytes.count - base) else { throw .offset(expected: bytes.count, at: start) }
    return ABITail(target: base + Int(offset), wordPosition: start)
  }

  /// Begins the dynamic part that `tail` announced, which has to be right here. Returns the position from which its own offsets count.
  @discardableResult
  package mutating func begin(_ tail: ABITail) throws(ABIError) -> Int {
    guard tail.target == position else { throw .offset(expected: position, at: tail.wordPosition) }
    return position
  }

  /// The length word of a list or byte string.
  package mutating func length(limit: Int = maxLength) throws(ABIError) -> Int {
    let start = position
    let length = try number()
    guard length <= UInt64(limit) else { throw .tooLong(limit: limit, at: start) }
    return Int(length)
  }

  /// A byte string with its length in front and zeros behind.
  package mutating func byteString() throws(ABIError) -> [UInt8] {
    let length = try length()
    let padded = (length + 31) / 32 * 32
    guard position + padded <= bytes.count else { throw .length(expected: position + padded, actual: bytes.count) }
    let content = bytes[position..<position + length]
    guard bytes[(position + length)..<(position + padded)].allSatisfy({ $0 == 0 }) else {
      throw .dirtyPadding(at: position + length)
    }
    position += padded
    return Array(content)
  }
}

/// Where a dynamic part has to begin.
package struct ABITail: Sendable {
  fileprivate let target: Int
  fileprivate let wordPosition: Int
}
