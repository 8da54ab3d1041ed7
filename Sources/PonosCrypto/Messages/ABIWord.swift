import PonosCore

/// The 32-byte words that Solidity's `abi.encode` lays values out in.
enum ABIWord {
  /// An unsigned integer, padded with zeros on the left.
  static func encode(_ value: UInt64) -> [UInt8] {
    [UInt8](repeating: 0, count: 24) + (0..<8).map { UInt8(truncatingIfNeeded: value >> (56 - 8 * $0)) }
  }

  /// An unsigned integer, padded with zeros on the left.
  static func encode(_ value: UInt32) -> [UInt8] { encode(UInt64(value)) }

  /// An address, padded with zeros on the left.
  static func encode(_ address: EthereumAddress) -> [UInt8] {
    [UInt8](repeating: 0, count: 12) + address.bytes
  }
}
