/// How a performer's health is asked for.
package struct ProbeSettings: Sendable, Equatable {
  /// Time between two probes of a performer that serves. 15 s, 1 s each and 3 failures are the Hourglass performer contract's:
  /// performers are built to be asked that often, also while they work.
  package var interval: Duration
  /// Time one probe may take.
  package var timeout: Duration
  /// Failed probes in a row that make a performer unhealthy, at least 1.
  package var failureThreshold: Int
  /// Runs in a row without an answer that make a performer count as hung, at least 1.
  package var hangThreshold: Int
  /// Time a new container has to serve, from its start.
  package var startupLimit: Duration
  /// Shortest and longest time between two probes of a container that does not serve yet.
  package var startupInterval: ClosedRange<Duration>

  package init(
    interval: Duration = .seconds(15), timeout: Duration = .seconds(1), failureThreshold: Int = 3,
    hangThreshold: Int = 3, startupLimit: Duration = .seconds(60),
    startupInterval: ClosedRange<Duration> = .milliseconds(50)...(.milliseconds(100))
  ) {
    self.interval = interval
    self.timeout = timeout
    self.failureThreshold = failureThreshold
    self.hangThreshold = hangThreshold
    self.startupLimit = startupLimit
    self.startupInterval = startupInterval
  }

  package static let standard = ProbeSettings()
}
