package import NIOCore

/// Holds the frames a peer may send as it likes, and which cost more to take than to send, against what ordinary peers need.
///
/// What carries calls is bounded by windows and by the number of streams; the rest is counted here, in constant memory.
package struct FrameBudgets: Sendable {
  private var pings = RateBudget.pings
  private var resets: RateBudget
  private var control = RateBudget.control
  private var faults = RateBudget.faults
  private var refusals: RateBudget

  /// - Parameter maxResetsPerSecond: streams the peer may reset within a second.
  package init(maxResetsPerSecond: Int) {
    resets = RateBudget(burst: maxResetsPerSecond, perSecond: maxResetsPerSecond)
    refusals = resets
  }

  /// Notes a frame of ours that carries a part of a call; it entitles the peer to a PING.
  package mutating func sent() { pings.earn() }

  /// What the peer has sent too much of.
  package enum Excess: String, Sendable {
    /// The words gRPC peers know.
    case pings = "too_many_pings"
    case resets = "too many resets"
    case control = "too many control frames"
    case headers = "too many header fields"
    case refusals = "too many streams"
    case faults = "too many faulty frames"
  }

  /// Notes a frame of the peer by its type (RFC 9113 section 6) and flags; says whether that was one too many.
  package mutating func received(type: UInt8, flags: UInt8, at now: @autoclosure () -> NIODeadline) -> Excess? {
    switch type {
    case 0x0, 0x1, 0x8, 0x9: nil
    case 0x3: resets.spend(at: now()) ? nil : .resets
    case 0x6 where flags & 1 == 0: pings.spend(at: now()) ? nil : .pings
    default: control.spend(at: now()) ? nil : .control
    }
  }

  /// Notes a DATA frame without content that does not end its stream either.
  package mutating func receivedNothing(at now: NIODeadline) -> Excess? {
    control.spend(at: now) ? nil : .control
  }

  /// Notes that a stream had to be reset, by the error code (RFC 9113 section 7): because there are too many, or, with the codes that
  /// no call resets its stream with, because the peer has broken a rule of it.
  package mutating func reset(_ code: HTTP2ErrorCode, at now: @autoclosure () -> NIODeadline) -> Excess? {
    switch code {
    case .noError, .cancel, .internalError: nil
    case .refusedStream: refusals.spend(at: now()) ? nil : .refusals
    default: faults.spend(at: now()) ? nil : .faults
    }
  }
}
