import PonosAPI
import PonosCore
import PonosCrypto
import PonosStore
import PonosSystem
import ServiceLifecycle
import SwiftProtobuf

/// A validated task that is written down: it will end in a signed result or a recorded failure, whatever happens to the daemon.
package struct AcceptedTask: Sendable {
  package let task: ValidatedTask
  package let sequence: Int64
  /// On the monotonic clock.
  package let acceptedAt: Int64
  /// Higher runs first.
  package let priority: Int
  /// On the monotonic clock.
  package let deadline: Int64
  /// Runs begun so far.
  package internal(set) var attempt: Int
  /// Containers that were replaced after runs of this task in them. Known to this process only: a task's time ends anyway.
  package internal(set) var lostContainers = 0
  /// The publication whose container its last run may have cost; nil before the first run, and when another task's run had found
  /// the container gone before this one began.
  var lastPublication: UInt64?
  /// Whether its time had ended when it was taken up again.
  private let isRestoredLate: Bool

  fileprivate init(
    task: ValidatedTask, sequence: Int64, acceptedAt: Int64, priority: Int, deadline: Int64, attempt: Int,
    isRestoredLate: Bool = false
  ) {
    self.task = task
    self.sequence = sequence
    self.acceptedAt = acceptedAt
    self.priority = priority
    self.deadline = deadline
    self.attempt = attempt
    self.isRestoredLate = isRestoredLate
  }

  package var id: TaskID { task.submission.id }
  package var avs: EthereumAddress { task.submission.operatorSet.avs }
  /// Whose task it is.
  var owner: TaskOwner { task.submission.owner }

  /// Time since its acceptance, going by the monotonic clock; the acceptance of a restored task is moved onto it.
  func age(at now: Int64) -> Duration { .milliseconds(max(0, now - acceptedAt)) }

  /// `lostContainers` for a run that begins while the containers of these publications are there.
  func lostContainers(present: [UInt64]) -> Int {
    lastPublication.map { present.contains($0) } ?? true ? lostContainers : lostContainers + 1
  }

  /// How the task has failed when its time ends in the queue.
  package var outOfTime: TaskFailure {
    if isRestoredLate { return .expiredWhileDown }
    return attempt == 0 ? .expired : .performerUnreachable("run \(attempt) broke off, and no performer was free for another")
  }
}

/// An accepted task as its row says how far it had come.
package enum RestoredTask: Sendable {
  /// To be run, for the first time or again.
  case waiting(AcceptedTask)
  /// To be signed.
  case collected(RestoredOutput)

  var accepted: AcceptedTask {
    switch self {
    case .waiting(let task): task
    case .collected(let output): output.accepted
    }
  }
}

/// An output that was checked and written down by an earlier process, or earlier by this one. Made by the journal only, from a
/// row.
package struct RestoredOutput: Sendable {
  package let accepted: AcceptedTask
  package let output: [UInt8]

  fileprivate init(accepted: AcceptedTask, output: [UInt8]) {
    self.accepted = accepted
    self.output = output
  }
}

/// The only writer of task rows: turns what happens to a task into durable transitions.
package struct TaskJournal: Sendable {
  private let store: any TaskStore & DigestStore
  private let clock: TaskClock
  /// Told of each failed write of a task's progress that will be tried again.
  private let onStall: @Sendable (TaskID, StoreError) -> Void

  /// `onStall` is called each time a write that must not be given up has failed and waits for another try; it must not block.
  package init(
    store: any TaskStore & DigestStore, clock: TaskClock, onStall: @escaping @Sendable (TaskID, StoreError) -> Void = { _, _ in }
  ) {
    self.store = store
    self.clock = clock
    self.onStall = onStall
  }

  /// What came of writing a task down.
  package enum Acceptance: Sendable {
    case accepted(AcceptedTask)
    /// The id is known already; nothing was written.
    case known(TaskRecord)
  }

  /// Writes a task down; durable when it returns. Its time ends after `timeout`, or before that if the sender said so.
  ///
  /// - Parameter isStreamed: Whether its outcome is to wait for the aggregator's acknowledgement.
  package func accept(
    _ task: ValidatedTask, timeout: Duration, isStreamed: Bool = false
  ) async throws(StoreError) -> Acceptance {
    let (now, acceptedAt) = (clock.unix(), clock.monotonic())
    let urgency = task.submission.urgency
    let left = urgency.timeLeft(at: now, timeout: timeout).milliseconds
    let record = AcceptedTaskRecord(
      id: task.submission.id, contentHash: task.contentHash, submission: try Self.encode(task.submission),
      operatorSet: task.submission.operatorSet, aggregator: task.submission.aggregator,
      priority: Int(urgency.priority), acceptedAt: now, deadline: now + left, isStreamed: isStreamed)
    switch try await store.accept(record) {
    case .known(let known):
      return .known(known)
    case .accepted(let sequence):
      return .accepted(
        AcceptedTask(
          task: task, sequence: sequence, acceptedAt: acceptedAt, priority: record.priority,
          deadline: clock.monotonic() + left, attempt: 0))
    }
  }

  /// The clocks, now.
  package var now: TaskClock.Reading { clock.read() }

  /// The task behind a row, taken up where it was left; its deadline is moved onto today's monotonic clock. However far the
  /// host's clock was set back, the task has no more time than it had when it was accepted.
  ///
  /// - Parameter now: Tasks that are restored together share one, so that they stay in their order to the millisecond.
  package func restore(_ record: TaskRecord, as task: ValidatedTask, at now: TaskClock.Reading) -> RestoredTask {
    let (acceptedAt, deadline) = (record.accepted.acceptedAt, record.accepted.deadline)
    let left = deadline &- max(now.unix, acceptedAt)
    let accepted = AcceptedTask(
      task: task, sequence: record.sequence, acceptedAt: now.monotonic &- max(0, now.unix &- acceptedAt),
      priority: record.accepted.priority, deadline: now.monotonic &+ left, attempt: record.attempt, isRestoredLate: left <= 0)
    if record.phase == .collected, let output = record.output {
      return .collected(RestoredOutput(accepted: accepted, output: output))
    }
    return .waiting(accepted)
  }

  /// The row of a task; nil for an id never accepted.
  package func record(of id: TaskID) async throws(StoreError) -> TaskRecord? {
    try await store.task(id)
  }

  /// The digest that may be signed for a task; nil while there is none.
  package func signedDigest(of id: TaskID) async throws(StoreError) -> Digest32? {
    try await store.signedDigest(of: id)?.digest
  }

  /// Replaces a damaged result by one that was made again.
  package func restore(_ result: SignedResult) async throws(StoreError) {
    let bytes: [UInt8]
    do { bytes = try result.wire.serializedBytes() } catch {
      throw StoreError(.writeFailed, "the result of task \(result.id) cannot be encoded: \(error)")
    }
    try await store.replaceResult(of: result.id, by: bytes)
  }

  /// Writes down that a run begins, without waiting for the disk: recovery treats a task that runs like one that waits.
  package func begin(
    _ id: TaskID, performerID: String, attempt: Int, onFailure: @escaping @Sendable (StoreError) -> Void
  ) {
    store.recordSoon(.executing(performerID: performerID, attempt: attempt), for: id, onFailure: onFailure)
  }

  /// Writes down that a run did not finish and the task waits again.
  package func requeue(_ id: TaskID) async throws(TaskFailure) {
    try await write(.requeued, for: id)
  }

  /// Makes `digest` the only one that may ever be signed for the task, and keeps its output. Throws `.digestConflict` when
  /// another digest is recorded. Repeats a failed write until it succeeds or the daemon stops.
  package func collect(
    _ output: [UInt8], digest: Digest32, curve: SignatureCurve, for task: ValidatedTask
  ) async throws(TaskFailure) {
    let record = SignedDigestRecord(
      taskID: task.submission.id, operatorSet: task.submission.operatorSet, curve: curve, digest: digest,
      recordedAt: clock.unix())
    let outcome = try await insist(on: record.taskID) { () async throws(StoreError) in
      try await store.record(record, output: output)
    }
    switch outcome {
    case .recorded, .sameAsRecorded: return
    case .conflict(let recorded): throw .digestConflict(recorded: recorded)
    }
  }

  /// Makes the signed result the task's answer. Repeats a failed write until it succeeds or the daemon stops: the answer that
  /// leaves must be the answer that every later retry gets.
  package func finish(_ result: SignedResult) async throws(TaskFailure) {
    let bytes: [UInt8]
    do { bytes = try result.wire.serializedBytes() } catch {
      throw .signingFailed("the result cannot be encoded: \(error)")
    }
    let transition = TaskTransition.signed(result: bytes, at: clock.unix())
    try await insist(on: result.id) { () async throws(StoreError) in try await store.record(transition, for: result.id) }
  }

  /// Makes the failure the task's answer. Repeats a failed write until it succeeds or the daemon stops: a task that has ended
  /// must not run again, and has an owner until its end is on disk.
  package func fail(_ id: TaskID, with failure: StoredFailure) async throws(TaskFailure) {
    let transition = TaskTransition.failed(failure, at: clock.unix())
    try await insist(on: id) { () async throws(StoreError) in try await store.record(transition, for: id) }
  }

  /// Writes down a failure like `fail`, but tries only once: for a task that goes on if its end cannot be written down.
  package func tryToFail(_ id: TaskID, with failure: StoredFailure) async throws(TaskFailure) {
    try await write(.failed(failure, at: clock.unix()), for: id)
  }

  /// Repeats a write until it succeeds. Once the daemon stops it tries one more time, then leaves the task to the next start, as
  /// its row says unfinished: a full disk should not hold up a stop.
  private func insist<Value: Sendable>(
    on id: TaskID, _ write: () async throws(StoreError) -> Value
  ) async throws(TaskFailure) -> Value {
    var delay = Duration.milliseconds(100)
    var isLastTry = false
    while true {
      do throws(StoreError) { return try await write() } catch {
        switch error.code {
        case .writeFailed, .diskFull, .locked, .overloaded, .cannotOpen: onStall(id, error)
        case .closed: throw .journalUnavailable(error.description)
        case .readFailed, .damaged, .unknownTask, .finishedTask: throw .journalRefused(error.description)
        }
      }
      if isLastTry { throw .journalUnavailable("the executor is stopping") }
      do { try await cancelWhenGracefulShutdown { [delay] in try await clock.sleep(delay) } } catch {
        if Task.isCancelled { throw .journalUnavailable("the executor is stopping") }
        isLastTry = true
      }
      delay = min(delay * 2, .seconds(5))
    }
  }

  private func write(_ transition: TaskTransition, for id: TaskID) async throws(TaskFailure) {
    do throws(StoreError) { try await store.record(transition, for: id) } catch {
      throw .journalUnavailable(error.description)
    }
  }

  private static func encode(_ submission: TaskSubmission) throws(StoreError) -> [UInt8] {
    do { return try submission.wire.serializedBytes() } catch {
      throw StoreError(.writeFailed, "the submission of task \(submission.id) cannot be encoded: \(error)")
    }
  }
}
