/// How often something may happen.
package struct RateLimit: Sendable, Equatable {
  /// Sustained rate, above 0.
  package var perSecond: Double
  /// How many may come at once after a pause, at least 1.
  package var burst: Int

  package init(perSecond: Double, burst: Int) {
    self.perSecond = perSecond
    self.burst = burst
  }
}

/// A bucket that holds up to `burst` tokens and gets `perSecond` new ones a second.
///
/// All of its state is the moment at which it is full again. In whole nanoseconds, so that nothing is lost or gained by rounding
/// from one token to the next; times are given in milliseconds of a clock that is never set back.
package struct TokenBucket: Sendable, Equatable {
  /// Nanoseconds in which one token comes.
  private let interval: Int64
  /// Nanoseconds in which an empty bucket fills up.
  private let depth: Int64
  /// In nanoseconds.
  private var fullAt = Int64.min

  private static let nanosecondsPerMillisecond: Int64 = 1_000_000
  /// Thirty years: rates and bursts beyond it differ in nothing anybody would see.
  private static let longest = Int64(1e18)

  /// A full bucket.
  package init(_ limit: RateLimit) {
    interval = Int64(min(max(1e9 / limit.perSecond, 1), Double(Self.longest / 2)))
    let depth = interval.multipliedReportingOverflow(by: Int64(max(1, limit.burst)))
    self.depth = depth.overflow ? Self.longest : min(depth.partialValue, Self.longest)
  }

  /// Time until the next token; zero when the bucket has one. Rounded up to milliseconds. Takes nothing.
  package func wait(at now: Int64) -> Duration {
    let now = now * Self.nanosecondsPerMillisecond
    let missing = max(fullAt, now) + interval - (now + depth)
    guard missing > 0 else { return .zero }
    return .milliseconds((missing + Self.nanosecondsPerMillisecond - 1) / Self.nanosecondsPerMillisecond)
  }

  /// Takes a token if there is one, and returns whether there was.
  package mutating func take(at now: Int64) -> Bool {
    guard wait(at: now) == .zero else { return false }
    fullAt = max(fullAt, now * Self.nanosecondsPerMillisecond) + interval
    return true
  }

  /// Puts back a token that was taken.
  package mutating func giveBack() {
    // Full is full: `fullAt` in the past means nothing.
    fullAt = max(fullAt, .min + interval) - interval
  }
}
