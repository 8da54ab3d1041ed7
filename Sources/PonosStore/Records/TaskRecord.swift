import PonosCore

/// How far an accepted task has come.
package enum TaskPhase: String, Sendable, Codable, CaseIterable {
  /// Accepted and waiting for a free slot.
  case queued
  /// With a performer.
  case executing
  /// Answered by a performer: the output and its digest are stored, the signature is not.
  case collected
  /// Finished: the signed result is stored and is the answer to every retry.
  case signed
  /// Finished: the failure is stored and is the answer to every retry.
  case failed

  package var isFinished: Bool { self == .signed || self == .failed }
}

/// A task at the moment of its acceptance.
package struct AcceptedTaskRecord: Sendable, Equatable {
  package var id: TaskID
  /// Hash over everything in the submission that defines the task; the same id with another hash is a conflict.
  package var contentHash: Digest32
  /// The submission in protobuf encoding, enough to run the task after a restart; empty once it is finished.
  package var submission: [UInt8]
  package var operatorSet: OperatorSet
  package var aggregator: EthereumAddress
  /// Higher runs first.
  package var priority: Int
  package var acceptedAt: UnixMilliseconds
  /// The task has failed when no result is signed by then.
  package var deadline: UnixMilliseconds
  /// Whether its outcome waits for the aggregator's acknowledgement. Written at the acceptance only: see `DeliveryStore`.
  package var isStreamed: Bool

  package init(
    id: TaskID, contentHash: Digest32, submission: [UInt8], operatorSet: OperatorSet, aggregator: EthereumAddress,
    priority: Int, acceptedAt: UnixMilliseconds, deadline: UnixMilliseconds, isStreamed: Bool = false
  ) {
    self.isStreamed = isStreamed
    self.id = id
    self.contentHash = contentHash
    self.submission = submission
    self.operatorSet = operatorSet
    self.aggregator = aggregator
    self.priority = priority
    self.acceptedAt = acceptedAt
    self.deadline = deadline
  }
}

/// What of a stored task is not what was written.
package enum RecordDamage: Sendable, Equatable {
  /// The output that waits for its signature; it is not in the record.
  case output
  /// The result or the failure; what is left of it is in the record and must not be answered with.
  case outcome
}

/// A task as it is stored.
package struct TaskRecord: Sendable, Equatable {
  package var accepted: AcceptedTaskRecord
  /// Rises with each acceptance; orders the queue after a restart.
  package var sequence: Int64
  package var phase: TaskPhase
  /// Runs begun so far; 0 before the first.
  package var attempt: Int
  /// The performer of the last run begun.
  package var performerID: String?
  /// The performer's checked output; only in phase `collected`.
  package var output: [UInt8]?
  /// The signed answer in protobuf encoding (`TaskResult`); only in phase `signed`.
  package var result: [UInt8]?
  /// Only in phase `failed`.
  package var failure: StoredFailure?
  package var finishedAt: UnixMilliseconds?
  /// Whether a digest was recorded for the id before the task was finished, so that no other may be signed. Of a finished task it says
  /// nothing.
  package var hasDigest: Bool
  /// nil for a record that is as it was written.
  package var damage: RecordDamage?

  package var id: TaskID { accepted.id }

  package init(
    accepted: AcceptedTaskRecord, sequence: Int64, phase: TaskPhase = .queued, attempt: Int = 0,
    performerID: String? = nil, output: [UInt8]? = nil, result: [UInt8]? = nil, failure: StoredFailure? = nil,
    finishedAt: UnixMilliseconds? = nil, hasDigest: Bool = false, damage: RecordDamage? = nil
  ) {
    self.accepted = accepted
    self.sequence = sequence
    self.phase = phase
    self.attempt = attempt
    self.performerID = performerID
    self.output = output
    self.result = result
    self.failure = failure
    self.finishedAt = finishedAt
    self.hasDigest = hasDigest
    self.damage = damage
  }
}

/// Some of the tasks that are not finished.
package struct UnfinishedTasks: Sendable, Equatable {
  /// In the order of their acceptance.
  package var tasks: [TaskRecord]
  /// Rows that could not be relied on, each with the reason; they stay in the store.
  package var damaged: [StoreError]

  package init(tasks: [TaskRecord] = [], damaged: [StoreError] = []) {
    self.tasks = tasks
    self.damaged = damaged
  }
}

/// A failure as it is stored and answered again.
package struct StoredFailure: Sendable, Equatable, Codable {
  /// Stable snake_case code.
  package var code: String
  package var message: String

  package init(code: String, message: String) {
    self.code = code
    self.message = message
  }
}

/// One step of an accepted task.
package enum TaskTransition: Sendable, Equatable {
  /// A run begins.
  case executing(performerID: String, attempt: Int)
  /// The run did not finish; the task waits again.
  case requeued
  case signed(result: [UInt8], at: UnixMilliseconds)
  case failed(StoredFailure, at: UnixMilliseconds)

  /// Whether the task changes no more after this.
  package var finishes: Bool {
    switch self {
    case .executing, .requeued: false
    case .signed, .failed: true
    }
  }
}

/// What a list shows of a task.
package struct TaskSummary: Sendable, Equatable, Codable {
  package var id: TaskID
  package var avs: EthereumAddress
  package var operatorSetID: UInt32
  package var phase: TaskPhase
  package var attempt: Int
  package var performerID: String?
  package var acceptedAt: UnixMilliseconds
  package var finishedAt: UnixMilliseconds?
  package var failure: StoredFailure?

  package init(
    id: TaskID, operatorSet: OperatorSet, phase: TaskPhase, attempt: Int, performerID: String?, acceptedAt: UnixMilliseconds,
    finishedAt: UnixMilliseconds?, failure: StoredFailure?
  ) {
    self.id = id
    avs = operatorSet.avs
    operatorSetID = operatorSet.id
    self.phase = phase
    self.attempt = attempt
    self.performerID = performerID
    self.acceptedAt = acceptedAt
    self.finishedAt = finishedAt
    self.failure = failure
  }

  package init(_ record: TaskRecord) {
    self.init(
      id: record.id, operatorSet: record.accepted.operatorSet, phase: record.phase, attempt: record.attempt,
      performerID: record.performerID, acceptedAt: record.accepted.acceptedAt, finishedAt: record.finishedAt,
      failure: record.failure)
  }
}

/// The one digest that may be signed for a task.
package struct SignedDigestRecord: Sendable, Equatable {
  package var taskID: TaskID
  package var operatorSet: OperatorSet
  package var curve: SignatureCurve
  /// The certificate digest the result signature is over.
  package var digest: Digest32
  package var recordedAt: UnixMilliseconds

  package init(
    taskID: TaskID, operatorSet: OperatorSet, curve: SignatureCurve, digest: Digest32, recordedAt: UnixMilliseconds
  ) {
    self.taskID = taskID
    self.operatorSet = operatorSet
    self.curve = curve
    self.digest = digest
    self.recordedAt = recordedAt
  }
}

/// A task at its end, with everything that its answer is made of.
package struct SignedTaskRecord: Sendable, Equatable {
  /// The digest its signature is over, recorded at the task's end; its operator set is the task's.
  package var digest: SignedDigestRecord
  /// The signed answer in protobuf encoding (`TaskResult`).
  package var result: [UInt8]

  package init(digest: SignedDigestRecord, result: [UInt8]) {
    self.digest = digest
    self.result = result
  }
}
