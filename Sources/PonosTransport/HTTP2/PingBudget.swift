package import NIOCore

/// Decides whether one more PING of a peer is ordinary or part of a flood.
///
/// A stock peer sends PINGs for two reasons: keepalive, at a slow fixed rate, and bandwidth estimation, at most one for each
/// batch of bytes *we* sent it. So every write to the peer earns a PING, time earns a few more, and a burst is allowed from the
/// start. A peer that only asks and never lets us write runs dry within a second.
package struct PingBudget: Sendable {
  /// Largest number of PINGs that may arrive back to back without any write of ours between them.
  package let burst: Int
  /// PINGs earned by each second that passes.
  package let perSecond: Int

  private var credits: Int
  private var lastRefill: NIODeadline?

  /// Starts with a full burst.
  package init(burst: Int = 1_000, perSecond: Int = 20) {
    self.burst = burst
    self.perSecond = perSecond
    self.credits = burst
  }

  /// Notes that bytes were written to the peer, which may answer them with one PING.
  package mutating func earn() {
    if credits < burst { credits += 1 }
  }

  /// Takes one PING off the budget; false when there is none left, which means a flood.
  package mutating func spend(at now: NIODeadline) -> Bool {
    refill(at: now)
    guard credits > 0 else { return false }
    credits -= 1
    return true
  }

  private mutating func refill(at now: NIODeadline) {
    guard let last = lastRefill else {
      lastRefill = now
      return
    }
    let earned = Int((now - last).nanoseconds / 1_000_000 * Int64(perSecond) / 1_000)
    guard earned > 0 else { return }
    credits = min(burst, credits + earned)
    lastRefill = now
  }
}
