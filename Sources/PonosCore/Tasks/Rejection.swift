/// Why a submission was refused. Nothing was written down and nothing will be run for it.
package enum Rejection: Error, Hashable, Sendable {
  /// A field does not have the shape the protocol demands.
  case malformed(field: String, problem: String)
  /// The signed message has another version than 1.
  case unsupportedVersion(UInt32)
  /// The submission is meant for another operator.
  case wrongExecutor(named: EthereumAddress, ours: EthereumAddress)
  /// No entry of the configuration names this AVS.
  case unknownAVS(EthereumAddress)
  /// The AVS does not have this executor operator set, or we are not in it.
  case unknownOperatorSet(OperatorSet)
  /// The AVS does not have this aggregator.
  case unknownAggregator(EthereumAddress, avs: EthereumAddress)
  /// The chain says something that the submission does not agree with, or says nothing.
  case chain(ChainRejection)
  /// The signature cannot be read or does not fit the content and the aggregator's key.
  case badSignature(String)
  /// We hold no key of the curve this operator set signs with.
  case noSigner(SignatureCurve, operatorSet: OperatorSet)
  /// No performer was ever deployed for the AVS.
  case noPerformer(avs: EthereumAddress)
  /// The performer is being started or restarted.
  case performerUnavailable(avs: EthereumAddress)
  /// The performer was not started: its configuration asks for more than this host has.
  case insufficientResources(avs: EthereumAddress)
  /// The payload has more bytes than the AVS's tasks may have.
  case payloadTooLarge(avs: EthereumAddress, count: Int, limit: Int)
  /// The id was used before for other content, another aggregator, or another operator set.
  case conflictingTask(TaskID)
  /// The time the sender gave the task is over already.
  case deadlinePassed(TaskID)
  /// The performers of the AVS fail its tasks and are left alone for a while.
  case circuitOpen(avs: EthereumAddress, retryAfter: Duration)
  /// More submissions of the AVS come than its configuration lets in.
  case avsRateLimited(EthereumAddress, retryAfter: Duration)
  /// More submissions of one aggregator come than the AVS's configuration lets in.
  case aggregatorRateLimited(EthereumAddress, avs: EthereumAddress, retryAfter: Duration)
  /// A bound of the queue is reached.
  case queueFull(avs: EthereumAddress, QueueBound)
  /// The submissions whose callers wait hold all the memory they may.
  case tooManyCallers
  /// The task could not be written down.
  case storeUnavailable(String)
  /// The disk does not keep up with the writes.
  case storeOverloaded(String)
  /// The stored outcome of the task is damaged and cannot be the answer.
  case storedRecordDamaged(TaskID)
  /// The task was accepted and is over, but its outcome could not be written down.
  case outcomeNotWritten(String)
  /// The daemon is starting or stopping.
  case notAccepting(String)

  /// Stable name: metric label, log field, gRPC detail.
  package var code: String {
    switch self {
    case .malformed: "malformed_submission"
    case .unsupportedVersion: "unsupported_version"
    case .wrongExecutor: "wrong_executor"
    case .unknownAVS: "unknown_avs"
    case .unknownOperatorSet: "unknown_operator_set"
    case .unknownAggregator: "unknown_aggregator"
    case .chain(let rejection): rejection.code
    case .badSignature: "bad_signature"
    case .noSigner: "no_signer"
    case .noPerformer: "no_performer"
    case .performerUnavailable: "performer_unavailable"
    case .insufficientResources: "insufficient_resources"
    case .payloadTooLarge: "payload_too_large"
    case .conflictingTask: "conflicting_task"
    case .deadlinePassed: "deadline_passed"
    case .circuitOpen: "circuit_open"
    case .avsRateLimited: "avs_rate_limited"
    case .aggregatorRateLimited: "aggregator_rate_limited"
    case .queueFull: "queue_full"
    case .tooManyCallers: "too_many_callers"
    case .storeUnavailable: "store_unavailable"
    case .storeOverloaded: "store_overloaded"
    case .storedRecordDamaged: "stored_record_damaged"
    case .outcomeNotWritten: "outcome_not_written"
    case .notAccepting: "not_accepting"
    }
  }

  /// Says what was wrong with which field, and what to do about it.
  package var message: String {
    switch self {
    case .malformed(let field, let problem):
      "\(field) \(problem)"
    case .unsupportedVersion(let version):
      "version is \(version); this executor knows version 1 only, so sign and send version 1"
    case .wrongExecutor(let named, let ours):
      "executor_address is \(named), but this executor is \(ours); send the task to the operator it names"
    case .unknownAVS(let avs):
      "avs_address \(avs) is not served here; the operator has to add it to avsPerformers"
    case .unknownOperatorSet(let set):
      "operator_set_id \(set.id) is not an executor operator set of AVS \(set.avs) here; check the set id, or add the set to the registry"
    case .unknownAggregator(let aggregator, let avs):
      "aggregator_address \(aggregator) is not an aggregator of AVS \(avs); check the address, or add its key to the registry"
    case .chain(let rejection):
      rejection.message
    case .badSignature(let problem):
      "signature \(problem)"
    case .noSigner(let curve, let set):
      "operator_set_id \(set.id) of AVS \(set.avs) signs with \(curve.rawValue), and this executor has no such key; the operator has to configure operator.signingKeys"
    case .noPerformer(let avs):
      "no performer is deployed for avs_address \(avs); deploy one by configuration or DeployArtifact"
    case .performerUnavailable(let avs):
      "the performer of avs_address \(avs) is starting or restarting; send the task again shortly"
    case .insufficientResources(let avs):
      "the performer of avs_address \(avs) needs more memory or processors than the host of this executor has; the operator has to change its resources"
    case .payloadTooLarge(let avs, let count, let limit):
      "payload has \(count) bytes, and tasks of avs_address \(avs) may have \(limit); send a reference to the data instead, or have the operator raise maxPayloadBytes"
    case .conflictingTask(let id):
      "task_id \(id) was accepted before with other content; a task id stands for one task only"
    case .deadlinePassed(let id):
      "the deadline of task_id \(id) (metadata ponos-deadline, unix milliseconds) has passed; give it one in the future, and compare clocks"
    case .circuitOpen(let avs, _):
      "the performer of avs_address \(avs) fails its tasks and is left alone for a while; send the task again later"
    case .avsRateLimited(let avs, _):
      "more submissions of avs_address \(avs) come than its rateLimit lets in; send the task again later"
    case .aggregatorRateLimited(let aggregator, let avs, _):
      "aggregator_address \(aggregator) sends more submissions than the aggregatorRateLimit of avs_address \(avs) lets in; send the task again later"
    case .queueFull(let avs, let bound):
      switch bound {
      case .tasksOfAVS: "the queue of avs_address \(avs) is full; send the task again later"
      case .bytesOfAVS: "payloads in the queue of avs_address \(avs) take all the memory they may; send the task again later"
      case .tasks: "the queue of this executor is full; send the task again later"
      case .bytes: "payloads in the queue of this executor take all the memory they may; send the task again later"
      }
    case .tooManyCallers:
      "the submissions that wait here for results take all the memory they may; send the task again later"
    case .storeUnavailable(let problem), .storeOverloaded(let problem):
      "the task could not be written down (\(problem)); nothing was accepted, send it again later"
    case .storedRecordDamaged(let id):
      "what this executor stored of task_id \(id) is damaged, so it is not answered; the operator has to restore a backup"
    case .outcomeNotWritten(let problem):
      "the task was accepted, but its outcome could not be written down (\(problem)); send it again later"
    case .notAccepting(let state):
      "this executor is \(state); send the task again shortly"
    }
  }

  /// When to send again, if the cause passes by itself; nil otherwise.
  package var retryDelay: Duration? {
    switch self {
    case .chain(let rejection): rejection.retryDelay
    case .circuitOpen(_, let delay), .avsRateLimited(_, let delay), .aggregatorRateLimited(_, _, let delay): delay
    // The end of the cause cannot be known. Long enough that repetitions are no load.
    case .queueFull, .tooManyCallers, .storeOverloaded, .performerUnavailable, .storeUnavailable, .outcomeNotWritten,
      .notAccepting:
      .seconds(1)
    case .malformed, .unsupportedVersion, .wrongExecutor, .unknownAVS, .unknownOperatorSet, .unknownAggregator, .badSignature,
      .noSigner, .noPerformer, .insufficientResources, .payloadTooLarge, .conflictingTask, .deadlinePassed,
      .storedRecordDamaged:
      nil
    }
  }
}
