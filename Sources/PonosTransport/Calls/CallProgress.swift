/// Watches over a call that must not stand still: its request has to become complete, and its response has to be taken.
///
/// Time is counted in ticks of the connection, so that a call needs neither a clock nor a timer of its own. A limit is a number of whole
/// ticks; as the first is cut off, at most one tick more passes before the limit is noticed.
package struct CallProgress: Sendable {
  /// What stands still.
  package enum Stall: Sendable {
    case request
    case response
  }

  /// Numbers of ticks.
  package struct Limits: Sendable {
    /// For a request, or a message of a stream, to become complete.
    package var request: Int
    /// For the peer to take something of a response that waits.
    package var response: Int

    package init(request: Int, response: Int) {
      self.request = request
      self.response = response
    }
  }

  private let limits: Limits
  /// The tick at which what is incomplete began; nil while nothing is.
  private var incompleteSince: Int?
  private var taken = 0
  /// The tick at which something was last seen to be taken; nil while nothing waits.
  private var stuckSince: Int?

  package init(limits: Limits) {
    self.limits = limits
  }

  /// Notes whether a part of the request is incomplete.
  ///
  /// - Parameter isNext: whether it is another than the one before, which is complete.
  package mutating func note(isIncomplete: Bool, isNext: Bool = false, at tick: Int) {
    if isNext || !isIncomplete { incompleteSince = nil }
    if isIncomplete, incompleteSince == nil { incompleteSince = tick }
  }

  /// What has stood still for too long.
  ///
  /// - Parameters:
  ///   - waiting: bytes of the response that wait for the peer.
  ///   - taken: bytes of the response that the peer has ever taken.
  ///   - isHeldUp: whether the connection itself keeps the peer from sending.
  package mutating func stall(at tick: Int, waiting: Int, taken: Int, isHeldUp: Bool) -> Stall? {
    if isHeldUp, incompleteSince != nil { incompleteSince = tick }
    if waiting == 0 {
      stuckSince = nil
    } else if taken != self.taken || stuckSince == nil {
      (self.taken, stuckSince) = (taken, tick)
    }
    if let incompleteSince, tick - incompleteSince > limits.request { return .request }
    if let stuckSince, tick - stuckSince >= limits.response { return .response }
    return nil
  }
}
