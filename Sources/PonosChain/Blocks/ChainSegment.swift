import PonosCore

/// The newest blocks as far as they are known, without gaps, and at which of them which contract may have changed.
///
/// A contract changes what its functions answer by transactions that log something; all contracts that are read here do. So between two
/// blocks in which a contract logged, its answers are the same. That stretch is an epoch of the contract, named by its first block.
package struct ChainSegment: Sendable {
  /// Blocks kept: two hours of Ethereum, so that submissions of the last minutes cost nothing.
  static let length = 600
  /// At multiples of this number an epoch ends in any case: for contracts that change without logging.
  static let recheckInterval: UInt64 = 64

  private var headers: [BlockHeader] = []
  private var watches: [EthereumAddress: Watch] = [:]

  /// Where a contract may have changed.
  private struct Watch: Sendable {
    let key: LogsBloomKey
    /// First block that was known when the watch began; the first epoch is named by it.
    let origin: UInt64
    /// Ascending, above `origin`.
    var touches: [UInt64] = []
  }

  /// Rises whenever a watched contract may have changed.
  package private(set) var generation: UInt64

  package init(generation: UInt64 = 0) {
    self.generation = generation
  }

  package var head: BlockHeader? { headers.last }
  package var first: BlockHeader? { headers.first }

  /// The block `number`; nil outside the segment.
  package func header(at number: UInt64) -> BlockHeader? {
    guard let first, number >= first.number, number - first.number < UInt64(headers.count) else { return nil }
    return headers[Int(number - first.number)]
  }

  /// Whether `header` is one of these blocks.
  package func contains(_ header: BlockHeader) -> Bool {
    self.header(at: header.number)?.hash == header.hash
  }

  /// Whether `header` can be appended as it is.
  package func isFollowed(by header: BlockHeader) -> Bool {
    guard let head else { return true }
    return header.number == head.number + 1 && header.parentHash == head.hash
  }

  /// Appends the next block.
  package mutating func append(_ header: BlockHeader) {
    precondition(isFollowed(by: header))
    headers.append(header)
    for address in watches.keys {
      if let key = watches[address]?.key, Self.touches(header, key) {
        watches[address]?.touches.append(header.number)
        generation += 1
      }
    }
    if headers.count > Self.length + Self.length / 4 { forgetOldest() }
  }

  /// Removes the blocks after `number`, which a reorganisation replaced.
  package mutating func cut(after number: UInt64) {
    headers.removeAll { $0.number > number }
    generation += 1
    for address in watches.keys {
      // A contract watched from a block on that is gone is watched anew.
      if let origin = watches[address]?.origin, origin > number { watches[address] = nil }
      watches[address]?.touches.removeAll { $0 > number }
    }
  }

  /// The epoch of `contract` that the block `number`, one of the segment's, is in.
  package mutating func epoch(of contract: EthereumAddress, at number: UInt64) -> UInt64 {
    if watches[contract] == nil { watch(contract) }
    guard let watch = watches[contract] else { return number }
    return watch.touches.last { $0 <= number } ?? watch.origin
  }

  /// The first block since which no watched contract can have changed.
  package var quietSince: UInt64? {
    watches.values.map { $0.touches.last ?? $0.origin }.max()
  }

  /// Seconds between blocks, by those known; nil while there are fewer than three.
  package var secondsPerBlock: Double? {
    guard headers.count > 2, let first, let head, head.timestamp > first.timestamp else { return nil }
    return Double(head.timestamp - first.timestamp) / Double(headers.count - 1)
  }

  private mutating func watch(_ contract: EthereumAddress) {
    guard let first else { return }
    var watch = Watch(key: LogsBloomKey(contract), origin: first.number)
    generation += 1
    watch.touches = headers.dropFirst().filter { Self.touches($0, watch.key) }.map(\.number)
    watches[contract] = watch
  }

  private static func touches(_ header: BlockHeader, _ key: LogsBloomKey) -> Bool {
    header.number.isMultiple(of: recheckInterval) || header.bloom.mayContain(key)
  }

  private mutating func forgetOldest() {
    headers.removeFirst(headers.count - Self.length)
    guard let oldest = first?.number else { return }
    for address in watches.keys {
      // The last touch before what is kept still names the epoch that the oldest blocks are in.
      guard let touches = watches[address]?.touches, let kept = touches.lastIndex(where: { $0 <= oldest }) else { continue }
      watches[address]?.touches.removeFirst(kept)
    }
  }
}
