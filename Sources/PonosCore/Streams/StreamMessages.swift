/// The version of the stream protocol spoken here.
package enum StreamProtocol {
  package static let version: UInt32 = 1
  /// Bytes of a challenge and of a session's id.
  package static let nonceBytes = 32
  /// Ids an acknowledgement or a reconciliation may name.
  package static let maxIDsPerMessage = 1024
  /// Heartbeats a peer may announce, in milliseconds.
  package static let heartbeats: ClosedRange<Int64> = 50...3_600_000
}

/// An aggregator's first message.
package struct AggregatorHello: Hashable, Sendable {
  package var version: UInt32
  /// 32 bytes.
  package var challenge: Digest32
  package var owner: TaskOwner
  /// Operator address of the executor that is meant.
  package var executor: EthereumAddress
  /// Executor operator set whose key the executor proves itself with.
  package var operatorSetID: UInt32
  /// Its longest silence, in milliseconds.
  package var heartbeat: Int64

  package init(
    version: UInt32 = StreamProtocol.version, challenge: Digest32, owner: TaskOwner, executor: EthereumAddress,
    operatorSetID: UInt32, heartbeat: Int64
  ) {
    self.version = version
    self.challenge = challenge
    self.owner = owner
    self.executor = executor
    self.operatorSetID = operatorSetID
    self.heartbeat = heartbeat
  }
}

/// An executor's first message.
package struct ExecutorHello: Hashable, Sendable {
  package var version: UInt32
  package var challenge: Digest32
  /// Operator address of the executor.
  package var executor: EthereumAddress
  /// Names the session.
  package var session: Digest32
  /// Its longest silence, in milliseconds.
  package var heartbeat: Int64
  /// The owner that the executor dialled for; nil where the aggregator dialled.
  package var wanted: TaskOwner?

  package init(
    version: UInt32 = StreamProtocol.version, challenge: Digest32, executor: EthereumAddress, session: Digest32,
    heartbeat: Int64, wanted: TaskOwner?
  ) {
    self.version = version
    self.challenge = challenge
    self.executor = executor
    self.session = session
    self.heartbeat = heartbeat
    self.wanted = wanted
  }
}

/// A task on a stream.
package struct StreamSubmission: Sendable, Equatable {
  /// The task's id as the aggregator wrote it, for the receipt or the refusal.
  package var idText: String
  /// What is asked for and how urgent it is, or what is wrong with its shape.
  package var task: Result<TaskSubmission, Rejection>

  package init(idText: String, task: Result<TaskSubmission, Rejection>) {
    self.idText = idText
    self.task = task
  }
}

/// A submission that was not accepted, or a task that was interrupted.
package struct StreamRefusal: Hashable, Sendable {
  /// As the submission wrote it.
  package var idText: String
  /// Stable snake_case code.
  package var code: String
  package var message: String
  /// Milliseconds after which a repetition may succeed; nil when none will.
  package var retryAfter: Int64?

  package init(idText: String, code: String, message: String, retryAfter: Int64?) {
    self.idText = idText
    self.code = code
    self.message = message
    self.retryAfter = retryAfter
  }
}

extension StreamRefusal {
  /// The session has no credit left.
  package static let noCredit = "no_credit"
  /// The outcome of the task was sent in the session, and is not acknowledged.
  package static let outcomeUnacknowledged = "outcome_unacknowledged"
  /// The task is not of the session's aggregator and AVS.
  package static let wrongSession = "wrong_session"
  /// The codes of refusals that a session makes itself; all others are those of a `Rejection`.
  package static let sessionCodes: Set<String> = [noCredit, outcomeUnacknowledged, wrongSession]
}

/// What came of a cancellation.
package enum CancellationResult: Hashable, Sendable {
  /// The task ends without an answer: it fails as cancelled.
  case cancelled
  /// The task has an answer or is over, or its cancellation could not be written down.
  case tooLate
  /// No task of this aggregator and AVS has the id.
  case unknown
}

/// Where a task stands that an aggregator waits for.
package enum TaskStanding: Hashable, Sendable {
  /// Not known, or past its retention.
  case unknown
  case unfinished
  case finished
}

/// The last message of one end.
package struct Goodbye: Hashable, Sendable {
  /// Stable snake_case code.
  package var code: String
  package var message: String
  /// Milliseconds after which a new session may be opened; nil when none will succeed.
  package var retryAfter: Int64?

  package init(code: String, message: String, retryAfter: Int64?) {
    self.code = code
    self.message = message
    self.retryAfter = retryAfter
  }
}

/// A message of an aggregator; its shape is checked.
package enum AggregatorMessage: Sendable, Equatable {
  case hello(AggregatorHello)
  case proof(signature: [UInt8])
  case submission(StreamSubmission)
  case acknowledgement([TaskID])
  case cancellation(TaskID)
  case reconciliation([TaskID])
  case heartbeat
  case goodbye(Goodbye)
}

/// A message of an executor; `Answer` is how a task ended.
package enum ExecutorMessage<Answer: Sendable>: Sendable {
  case hello(ExecutorHello)
  case proof(signature: [UInt8])
  /// Submissions of the whole session; never falls.
  case credit(total: UInt64)
  case receipt(idText: String)
  case refusal(StreamRefusal)
  case outcome(TaskID, Answer)
  case cancellation(TaskID, CancellationResult)
  case standings([TaskID: TaskStanding])
  case heartbeat
  case goodbye(Goodbye)
}

extension ExecutorMessage: Equatable where Answer: Equatable {}
