/// How long to wait before a session is opened again: twice as long after each failure, and a random part of that, so that
/// executors which lost the same aggregator do not come back in step.
package struct ReconnectPolicy: Sendable, Equatable {
  /// Longest pause before the first repetition.
  package var initial: Duration
  /// Longest pause at all.
  package var maximum: Duration

  /// Longest pause that a peer can ask for.
  private static let longestWish = Duration.seconds(3600)

  package init(initial: Duration = .milliseconds(500), maximum: Duration = .seconds(30)) {
    self.initial = initial
    self.maximum = maximum
  }

  /// The pause after `failures` attempts in a row without a session, at least 1: between half of the step and all of it, and never
  /// less than what the peer asked for.
  ///
  /// - Parameters:
  ///   - asked: An hour of it at most.
  ///   - chance: A random number of 0..<1.
  package func pause(failures: Int, asked: Duration? = nil, chance: Double) -> Duration {
    let pause = Backoff(first: initial, longest: maximum).pause(after: failures, chance: chance)
    return max(pause, min(asked ?? .zero, Self.longestWish))
  }

  /// How many attempts in a row have failed after another one. A session that breaks soon after it came about is no success: a peer
  /// that goes on like that is dialled as rarely as one that is not there.
  ///
  /// - Parameter sessionLasted: nil when no session came about.
  package func failures(before: Int, sessionLasted: Duration?) -> Int {
    if let sessionLasted, sessionLasted >= maximum { 1 } else { before + 1 }
  }
}
