/// A place between two steps of the daemon's work at which a test may end the process, as a crash would.
///
/// The names are what `PONOS_FAILPOINT` takes. Each says what has just happened; a crash there must lose nothing that was promised
/// and promise nothing that was not done. `docs/testing.md` says how they are used.
package enum Failpoint: String, Sendable, CaseIterable {
  // MARK: Intake

  /// A call came in; nobody has looked at it.
  case intakeReceived = "intake.received"
  /// The aggregator's signature is verified; the queue has not been asked for a place.
  case intakeVerified = "intake.verified"
  /// A place in the queue is reserved; nothing is written.
  case intakeReserved = "intake.reserved"
  /// The outcome is known and has not been sent.
  case intakeAnswered = "intake.answered"

  // MARK: Journal: a step of a task is on disk, and nobody has been told

  /// The task is accepted; it is not in the queue yet.
  case journalAccepted = "journal.accepted"
  /// A run is about to be recorded, or is; the performer does not know of it.
  case journalExecuting = "journal.executing"
  /// Digest and output are recorded; the signature is not made. Passed by keys outside of the process alone, and by all where the process
  /// is to end here.
  case journalCollected = "journal.collected"
  /// The signed result is recorded; nobody who waits has it.
  case journalSigned = "journal.signed"
  /// The pause before another run is over; its return to the queue is not recorded.
  case journalRequeue = "journal.requeue"
  /// The return to the queue is recorded; the task is not in the queue.
  case journalRequeued = "journal.requeued"
  /// The task has failed for good; that is not recorded.
  case journalFail = "journal.fail"
  /// The failure is recorded; nobody who waits has it.
  case journalFailed = "journal.failed"

  // MARK: Streams

  /// A receipt is on its way; its task is on disk.
  case streamReceipted = "stream.receipted"
  /// An outcome is on its way; it waits for its acknowledgement.
  case streamSent = "stream.sent"
  /// An acknowledgement is on disk; the session does not know.
  case streamAcknowledged = "stream.acknowledged"
  /// The outcome of a task known already waits for its aggregator; that is not told.
  case streamExpected = "stream.expected"

  // MARK: Group commit

  /// The writes of a transaction are applied; the transaction is not committed.
  case commitApplied = "commit.applied"
  /// The transaction is on disk; none of its writers knows.
  case commitDurable = "commit.durable"
  /// One writer of the transaction knows; the others may not.
  case commitTold = "commit.told"

  // MARK: Runs

  /// A slot is taken for the task; the run is not recorded.
  case runAssigned = "run.assigned"
  /// The performer has answered; the answer is not checked.
  case runReplied = "run.replied"
  /// The answer is checked; nothing of it is recorded.
  case runCollected = "run.collected"
  /// The slot is given back.
  case runReleased = "run.released"
  /// The signature is made; it is not recorded, and neither is its digest when the key is in this process.
  case runSigned = "run.signed"
  /// Everybody who waits has the result.
  case runDelivered = "run.delivered"
  /// The run has failed; nothing has been decided about the task.
  case runFailed = "run.failed"
  /// What follows the failure is decided and done.
  case runRecovered = "run.recovered"

  // MARK: Start

  /// The database is open; nothing is read.
  case startOpened = "start.opened"
  /// The unfinished tasks are read; none is back in the queue.
  case startRead = "start.read"
  /// The unfinished tasks are back; no service runs.
  case startRecovered = "start.recovered"

  // MARK: Performers

  /// The records of performers are read; they are not compared with the containers there are.
  case performersRead = "performers.read"
  /// A new performer is wanted; nothing of it is written.
  case performersStaging = "performers.staging"
  /// A new performer is written down; it has no container.
  case performersStaged = "performers.staged"
  /// A container is created; no record names it.
  case performersCreated = "performers.created"
  /// The record names the container; the container is not started.
  case performersRecorded = "performers.recorded"
  /// A container runs; nobody is connected to it.
  case performersConnecting = "performers.connecting"
  /// A performer serves; its record does not say that it is the one in service.
  case performersPromoting = "performers.promoting"
  /// The record says so; no task goes to it yet, and the one it replaces is still there.
  case performersPromoted = "performers.promoted"
  /// A performer is out of service; its record is still there.
  case performersForgetting = "performers.forgetting"
  /// The record is gone; the container is still there.
  case performersForgotten = "performers.forgotten"

  // MARK: Chores of the store

  /// Tasks past their retention are about to be deleted.
  case choresExpiring = "chores.expiring"
  /// They are deleted; the write-ahead log is not folded in.
  case choresExpired = "chores.expired"
  /// The write-ahead log is folded in.
  case choresCompacted = "chores.compacted"

  // MARK: Stopping

  /// Intake is closed; the ports still listen.
  case stopIntake = "stop.intake"
  /// The ports are closed; runs may still go on.
  case stopPorts = "stop.ports"
  /// No task runs; performers are still watched.
  case stopTasks = "stop.tasks"
  /// Performers are left to the next start.
  case stopPerformers = "stop.performers"
  /// Every service has ended; the database is open.
  case stopServices = "stop.services"
  /// The database is closed.
  case stopStore = "stop.store"
}
