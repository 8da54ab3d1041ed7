import PonosChain

/// Decides whether what is known of the chain may still be used, while it cannot be asked.
struct ChainFreshness: Sendable {
  /// Silence of all endpoints that is no outage yet: a few rounds of asking for the head.
  static let outageAfter = Duration.seconds(15)

  let maxStale: Duration

  enum Standing: Sendable, Equatable {
    /// Endpoints answer.
    case live
    /// They do not; what is known is good for a while.
    case stale
    /// They have not for too long, or never have.
    case lost
  }

  func standing(_ status: ChainReader.HeadStatus) -> Standing {
    guard let silence = status.silence, status.head != nil else { return .lost }
    if silence <= Self.outageAfter { return .live }
    return silence <= maxStale ? .stale : .lost
  }

  /// Whether the block `number` can be the chain's by now, though nobody could tell us of it.
  func isPlausible(_ number: UInt64, after status: ChainReader.HeadStatus) -> Bool {
    guard let head = status.head, let silence = status.silence, number > head.number else { return false }
    let passed = silence / .seconds(1) / status.secondsPerBlock
    return Double(number - head.number) <= passed * 1.5 + 3
  }
}
