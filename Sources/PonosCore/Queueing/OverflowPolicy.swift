/// What happens when a task comes and the queue is full.
///
/// A newcomer displaces one waiting task of its own AVS at the most: the overflow of one AVS never costs another one an accepted
/// task.
package enum OverflowPolicy: String, Sendable, Hashable, CaseIterable {
  /// The newcomer is refused.
  case rejectNewest
  /// The task that would leave last goes, if the newcomer's priority is higher than its; otherwise the newcomer is refused.
  case dropLowestPriority
  /// The task whose time ends first goes, if the newcomer's ends later; otherwise the newcomer is refused.
  case dropNearestToExpiry
}

/// The bound of the queue that is reached.
package enum QueueBound: String, Sendable, Hashable, CaseIterable {
  /// Tasks of this AVS.
  case tasksOfAVS = "avs_tasks"
  /// Payloads of this AVS.
  case bytesOfAVS = "avs_bytes"
  /// Tasks altogether.
  case tasks
  /// Payloads altogether.
  case bytes
}
