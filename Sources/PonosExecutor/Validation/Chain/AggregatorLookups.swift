import PonosCore

/// Who has been seen as an aggregator, and how many others may still be looked up: a stranger costs a request of the chain, and anybody
/// can write any address into a submission.
struct AggregatorLookups: Sendable {
  /// Lookups of strangers for an AVS: twenty at once, so that all aggregators of an AVS can come after a start, then one a second.
  static let limit = RateLimit(perSecond: 1, burst: 20)
  /// Aggregators of an AVS that are remembered.
  private static let knownLimit = 1_024

  private var buckets: [EthereumAddress: TokenBucket] = [:]
  private var known: [EthereumAddress: [EthereumAddress: RegisteredKey]] = [:]

  /// The key that an aggregator was last seen with; nil for a stranger.
  func key(of aggregator: EthereumAddress, avs: EthereumAddress) -> RegisteredKey? {
    known[avs]?[aggregator]
  }

  mutating func note(_ aggregator: EthereumAddress, avs: EthereumAddress, key: RegisteredKey) {
    if known[avs, default: [:]].count >= Self.knownLimit { known[avs] = [:] }
    known[avs, default: [:]][aggregator] = key
  }

  /// Takes one lookup of a stranger, or says when to come again.
  ///
  /// - Parameter now: Milliseconds of a clock that is never set back.
  mutating func charge(avs: EthereumAddress, at now: Int64) -> Duration? {
    var bucket = buckets[avs] ?? TokenBucket(Self.limit)
    defer { buckets[avs] = bucket }
    let wait = bucket.wait(at: now)
    if wait == .zero { _ = bucket.take(at: now) }
    return wait == .zero ? nil : wait
  }
}
