/// When a failed run of a task is tried again.
package struct RetryPolicy: Sendable, Equatable {
  /// Pause after the first failed run; doubles with each further one.
  package var firstDelay: Duration
  /// The longest pause.
  package var maxDelay: Duration

  package init(firstDelay: Duration = .milliseconds(100), maxDelay: Duration = .seconds(5)) {
    self.firstDelay = firstDelay
    self.maxDelay = maxDelay
  }

  /// How long to wait before run `attempt + 1`; nil when the task has failed for good.
  ///
  /// - Parameters:
  ///   - attempt: Runs made so far, at least 1.
  ///   - remaining: What is left of the task's time.
  package func delay(after failure: TaskFailure, attempt: Int, remaining: Duration) -> Duration? {
    guard failure.isRetryable else { return nil }
    let doublings = min(max(attempt - 1, 0), 16)
    let delay = min(firstDelay * (1 << doublings), maxDelay)
    return delay < remaining ? delay : nil
  }
}
