/// How urgent a sender says a task is. The signature does not cover it, and a task sent again with another urgency is the same
/// task.
package struct TaskUrgency: Sendable, Equatable {
  /// Higher runs first among the tasks of an AVS.
  package var priority: Int32
  /// Moment at which an answer is of no more use, in milliseconds since 1970-01-01T00:00:00Z; nil when only the AVS's time
  /// counts.
  package var deadline: Int64?

  package init(priority: Int32 = 0, deadline: Int64? = nil) {
    self.priority = priority
    self.deadline = deadline
  }

  /// The task's time from `now` (in the deadline's unit): the AVS's timeout, or less if the deadline is nearer. Zero or below for
  /// a deadline that has passed.
  package func timeLeft(at now: Int64, timeout: Duration) -> Duration {
    guard let deadline else { return timeout }
    let left = deadline.subtractingReportingOverflow(now)
    return left.overflow ? (deadline < now ? .zero : timeout) : min(timeout, .milliseconds(left.partialValue))
  }
}
