/// How long to wait before a failed container is created again.
///
/// There is always another attempt: an operator earns nothing with a performer that was given up.
package struct RestartPolicy: Sendable, Equatable {
  /// Delay before the first attempt; doubles with each further one.
  package var firstDelay: Duration
  package var longestDelay: Duration
  /// Attempts in a row after which the performer counts as failed rather than restarting.
  package var patience: Int
  /// Time of uninterrupted service after which earlier failures are forgotten.
  package var healthyPeriod: Duration

  package init(
    firstDelay: Duration = .milliseconds(500), longestDelay: Duration = .seconds(30), patience: Int = 5,
    healthyPeriod: Duration = .seconds(60)
  ) {
    self.firstDelay = firstDelay
    self.longestDelay = longestDelay
    self.patience = patience
    self.healthyPeriod = healthyPeriod
  }

  package static let standard = RestartPolicy()

  /// For calls to an engine that is down: it comes back in seconds, and until then nothing else can be done.
  package static let engine = RestartPolicy(firstDelay: .milliseconds(200), longestDelay: .seconds(5))

  /// The delay before attempt number `attempt`, counted from 1 since the last healthy period.
  package func delay(beforeAttempt attempt: Int) -> Duration {
    Backoff(first: firstDelay, longest: longestDelay).pause(after: attempt)
  }
}
