/// What the task mailbox of the chain has to know of a task before it is accepted.
package enum TaskCheck: String, Sendable, Hashable, CaseIterable {
  /// The mailbox is not asked.
  case none
  /// The task was created and is not finished.
  case exists
  /// The same, and its operator set and payload are those submitted. Its SLA ends the task.
  case full
}
