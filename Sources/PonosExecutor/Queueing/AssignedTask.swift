import PonosContainers
import PonosCore

/// An accepted task with a slot of a performer, for one run.
package struct AssignedTask: Sendable {
  package let accepted: AcceptedTask
  package let lease: PerformerRoster.Lease

  /// Begins the task's next run.
  init(_ task: AcceptedTask, lease: PerformerRoster.Lease) {
    var accepted = task
    accepted.attempt += 1
    accepted.lostContainers = task.lostContainers(present: lease.present)
    accepted.lastPublication = lease.isSuspect ? nil : lease.publication
    self.accepted = accepted
    self.lease = lease
  }

  package var id: TaskID { accepted.id }
}
