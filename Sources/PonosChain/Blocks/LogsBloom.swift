import PonosCore
import PonosCrypto

/// The filter in a block's header that tells which contracts certainly logged nothing in it.
package struct LogsBloom: Hashable, Sendable {
  /// 256 bytes; nil when the filter is missing or cannot be believed.
  private let bits: [UInt8]?

  /// - Parameter isBlockEmpty: Whether the block has no transaction. Chains without filters send zeros only, which are believed of
  ///   empty blocks alone.
  package init(hex: String?, isBlockEmpty: Bool) {
    guard let hex, hex.utf8.count == 2 + 512, let bits = Hex.decode(hex), bits.count == 256 else {
      self.bits = isBlockEmpty ? [UInt8](repeating: 0, count: 256) : nil
      return
    }
    self.bits = isBlockEmpty || bits.contains { $0 != 0 } ? bits : nil
  }

  /// Whether the contract behind `key` may have logged something. `false` is certain.
  package func mayContain(_ key: LogsBloomKey) -> Bool {
    guard let bits else { return true }
    return key.positions.allSatisfy { bits[255 - Int($0 / 8)] & (1 << ($0 % 8)) != 0 }
  }
}

/// An address as it is looked for in filters: three of their 2,048 bits, by its hash (Yellow Paper, section 4.3.1).
package struct LogsBloomKey: Hashable, Sendable {
  fileprivate let positions: [UInt16]

  package init(_ address: EthereumAddress) {
    let hash = Keccak256.hash(address.bytes).bytes
    positions = stride(from: 0, to: 6, by: 2).map { (UInt16(hash[$0]) << 8 | UInt16(hash[$0 + 1])) & 0x7ff }
  }
}
