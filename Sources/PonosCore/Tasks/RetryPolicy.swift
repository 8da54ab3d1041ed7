/// When a failed run of a task is tried again, and which tasks are suspected of crashing their performer.
///
/// A task that crashes its container ends its neighbours' runs too, and nothing tells which task it was. So a task that has lost
/// `sharedContainers` containers runs alone; one that loses its container even then is at fault and fails for good. Only lost
/// containers count: a performer that cannot be reached, or asks for another try, says nothing about the task.
package struct RetryPolicy: Sendable, Equatable {
  /// Pause after the first failed run; doubles with each further one.
  package var firstDelay: Duration
  /// The longest pause.
  package var maxDelay: Duration
  /// Containers that a task may lose while it shares them, before it has to run alone.
  package var sharedContainers: Int

  package init(
    firstDelay: Duration = .milliseconds(100), maxDelay: Duration = .seconds(5), sharedContainers: Int = 2
  ) {
    self.firstDelay = firstDelay
    self.maxDelay = maxDelay
    self.sharedContainers = sharedContainers
  }

  /// The pause before run `attempt + 1`; nil when the task has failed for good. The pause is never shorter than the performer
  /// asked for: a task with less time left is not run again.
  ///
  /// - Parameters:
  ///   - attempt: Runs made so far, at least 1.
  ///   - remaining: The rest of the task's time.
  package func delay(after failure: TaskFailure, attempt: Int, remaining: Duration) -> Duration? {
    guard failure.isRetryable else { return nil }
    let backoff = Backoff(first: firstDelay, longest: maxDelay)
    let delay = max(backoff.pause(after: attempt), failure.retryAfter ?? .zero)
    return delay < remaining ? delay : nil
  }

  /// Whether the next run of a task must have its performer for itself.
  package func mustRunAlone(lostContainers: Int) -> Bool { lostContainers >= sharedContainers }

  /// Whether a task has lost a container of its own, too.
  package func isAtFault(lostContainers: Int) -> Bool { lostContainers > sharedContainers }
}
