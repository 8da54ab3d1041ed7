/// Turns single probes into a judgement: one good answer makes a performer healthy, several bad ones in a row unhealthy.
package struct HealthTracker: Sendable, Equatable {
  /// Failed probes in a row that make the performer unhealthy.
  package let failureThreshold: Int
  package private(set) var isHealthy: Bool
  /// Failed probes since the last good one.
  package private(set) var consecutiveFailures = 0

  /// - Parameter isHealthy: What holds before the first probe.
  package init(failureThreshold: Int, isHealthy: Bool) {
    self.failureThreshold = max(1, failureThreshold)
    self.isHealthy = isHealthy
  }

  /// Takes a probe into account and returns whether the judgement changed.
  package mutating func record(isServing: Bool) -> Bool {
    let before = isHealthy
    if isServing {
      consecutiveFailures = 0
      isHealthy = true
    } else {
      consecutiveFailures += 1
      if consecutiveFailures >= failureThreshold { isHealthy = false }
    }
    return isHealthy != before
  }
}
