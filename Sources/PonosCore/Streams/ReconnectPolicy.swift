/// How long to wait before a session is opened again: twice as long after each failure, and a random part of that, so that
/// executors which lost the same aggregator do not come back in step.
package struct ReconnectPolicy: Sendable, Equatable {
  /// Longest pause before the first repetition.
  package var initial: Duration
  /// Longest pause at all.
  package var maximum: Duration

  package init(initial: Duration = .milliseconds(500), maximum: Duration = .seconds(30)) {
    self.initial = initial
    self.maximum = maximum
  }

  /// The pause after `failures` attempts in a row without a session, at least 1: between half of the step and all of it, and never
  /// less than what the peer asked for.
  ///
  /// - Parameter chance: A random number of 0..<1.
  package func pause(failures: Int, asked: Duration? = nil, chance: Double) -> Duration {
    let step = min(initial * (1 << min(max(failures - 1, 0), 20)), maximum)
    return max(step * (0.5 + chance / 2), min(asked ?? .zero, maximum))
  }
}
