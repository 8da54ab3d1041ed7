package import NIOCore

/// Decides whether more frames of one kind from a peer are ordinary or part of a flood: a token bucket, in constant memory.
package struct RateBudget: Sendable {
  /// Largest number of frames that may arrive back to back.
  package let burst: Int
  /// Frames earned by each second that passes.
  package let perSecond: Int

  private var credits: Int
  private var lastRefill: NIODeadline?

  /// Starts with a full burst.
  package init(burst: Int, perSecond: Int) {
    self.burst = burst
    self.perSecond = perSecond
    self.credits = burst
  }

  /// PING. A stock peer sends it for two reasons: keepalive, at a slow fixed rate, and bandwidth estimation, at most one for each
  /// batch of bytes *we* sent it. So every frame of a call that we send earns one (``earn()``), time earns a few more, and a burst is allowed from
  /// the start. A peer that only asks and never lets us write runs dry within a second.
  package static var pings: RateBudget { RateBudget(burst: 1_000, perSecond: 20) }

  /// Control frames of other kinds, SETTINGS above all, of which an ordinary peer sends a handful.
  package static var control: RateBudget { RateBudget(burst: 200, perSecond: 7) }

  /// Errors of streams, of which an ordinary peer makes none.
  package static var faults: RateBudget { RateBudget(burst: 64, perSecond: 6) }

  /// Notes what entitles the peer to one more.
  package mutating func earn() {
    if credits < burst { credits += 1 }
  }

  /// Takes `count` frames off the budget; false when it does not hold so many, which means a flood.
  package mutating func spend(_ count: Int = 1, at now: NIODeadline) -> Bool {
    refill(at: now)
    guard credits >= count else { return false }
    credits -= count
    return true
  }

  private mutating func refill(at now: NIODeadline) {
    guard let last = lastRefill else {
      lastRefill = now
      return
    }
    guard perSecond > 0 else { return }
    let frameTime = TimeAmount.nanoseconds(1_000_000_000 / Int64(perSecond))
    let earned = (now - last).nanoseconds / frameTime.nanoseconds
    guard earned > 0 else { return }
    if earned >= Int64(burst - credits) {
      (credits, lastRefill) = (burst, now)
    } else {
      // The rest of the time counts towards the next one.
      (credits, lastRefill) = (credits + Int(earned), last + frameTime * Int(earned))
    }
  }
}
