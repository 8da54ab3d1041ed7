import PonosCore
import PonosCrypto

@testable import PonosChain

/// Blocks of chains that are made up.
enum TestBlocks {
  /// The block `number` of the branch `branch`, which left the main one (0) at the block `fork`.
  static func block(_ number: UInt64, branch: UInt8 = 0, fork: UInt64 = 0, touching: [EthereumAddress] = []) -> BlockHeader {
    BlockHeader(
      number: number, hash: hash(number, number > fork ? branch : 0), parentHash: hash(number &- 1, number > fork + 1 ? branch : 0),
      timestamp: 1_700_000_000 + number * 12, bloom: LogsBloom(hex: bloom(touching), isBlockEmpty: touching.isEmpty))
  }

  static func hash(_ number: UInt64, _ branch: UInt8) -> Digest32 {
    Keccak256.hash([branch] + (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) })
  }

  /// The filter of a block in which each of `addresses` logged something, as hex.
  static func bloom(_ addresses: [EthereumAddress]) -> String {
    var bits = [UInt8](repeating: 0, count: 256)
    for address in addresses {
      let hash = Keccak256.hash(address.bytes).bytes
      for index in [0, 2, 4] {
        let position = (Int(hash[index]) << 8 | Int(hash[index + 1])) & 0x7ff
        bits[255 - position / 8] |= 1 << UInt8(position % 8)
      }
    }
    return Hex.encodePrefixed(bits)
  }

  static func address(_ byte: UInt8) -> EthereumAddress { EthereumAddress(unchecked: [UInt8](repeating: byte, count: 20)) }
}
