import PonosCore

/// A block, as far as reading the chain needs it.
package struct BlockHeader: Hashable, Sendable {
  package let number: UInt64
  package let hash: Digest32
  package let parentHash: Digest32
  /// Unix seconds.
  package let timestamp: UInt64
  let bloom: LogsBloom

  init(number: UInt64, hash: Digest32, parentHash: Digest32, timestamp: UInt64, bloom: LogsBloom) {
    self.number = number
    self.hash = hash
    self.parentHash = parentHash
    self.timestamp = timestamp
    self.bloom = bloom
  }

  /// Reads the block object of the Ethereum API; nil when a field is missing or malformed, as a pending block's are.
  init?(_ value: RPCValue) {
    guard let number = value["number"]?.text.flatMap(Quantity.decode),
      let hash = value["hash"]?.text.flatMap(Digest32.init(hex:)),
      let parentHash = value["parentHash"]?.text.flatMap(Digest32.init(hex:)),
      let timestamp = value["timestamp"]?.text.flatMap(Quantity.decode)
    else { return nil }
    var isEmpty = false
    if case .array(let transactions)? = value["transactions"] { isEmpty = transactions.isEmpty }
    self.init(
      number: number, hash: hash, parentHash: parentHash, timestamp: timestamp,
      bloom: LogsBloom(hex: value["logsBloom"]?.text, isBlockEmpty: isEmpty))
  }
}
