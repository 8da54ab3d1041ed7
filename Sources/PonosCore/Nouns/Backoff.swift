/// The pauses between attempts: each twice as long as the one before, up to a longest one.
package struct Backoff: Sendable, Equatable {
  /// The pause after the first failed attempt.
  package var first: Duration
  /// The longest pause.
  package var longest: Duration

  /// After 2^30 times the first pause nobody waits for a longer one, and the multiplication cannot overflow before.
  private static let maxDoublings = 30

  package init(first: Duration, longest: Duration) {
    self.first = first
    self.longest = longest
  }

  /// The pause after `failures` attempts in a row that failed, counted from 1.
  package func pause(after failures: Int) -> Duration {
    min(first * (1 << min(max(failures, 1) - 1, Self.maxDoublings)), longest)
  }

  /// The same with a random part, so that clients that failed together do not come back in step: between half of the pause and all of it.
  ///
  /// - Parameter chance: A random number of 0..<1.
  package func pause(after failures: Int, chance: Double) -> Duration {
    pause(after: failures) * (0.5 + chance / 2)
  }
}
