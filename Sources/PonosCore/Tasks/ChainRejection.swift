/// Why a submission was refused by what the chain says, or because it could not be asked.
package enum ChainRejection: Hashable, Sendable {
  // What is registered otherwise. Only a transaction changes it.

  /// The AVS has no registrar contract that names its operator sets.
  case avsNotRegistered(EthereumAddress, problem: String)
  /// The aggregator is not in the AVS's aggregator operator set now, or was not at the block named, or has no key there.
  case aggregatorNotRegistered(EthereumAddress, OperatorSet, at: UInt64)
  /// The key that the aggregator had at the block named has been replaced too long ago.
  case aggregatorKeyReplaced(EthereumAddress, OperatorSet, at: UInt64)
  /// This operator is not in the set.
  case operatorNotInSet(OperatorSet, at: UInt64)
  /// This operator is in the set and has no key registered for it.
  case signingKeyNotRegistered(OperatorSet, at: UInt64)
  /// The key registered for this operator in the set is not the one configured.
  case signingKeyDiffers(OperatorSet, registered: String, configured: String)

  // The block named.

  /// Older than the configuration allows.
  case blockTooOld(UInt64, limit: Duration)
  /// No endpoint has it.
  case blockUnknown(UInt64, head: UInt64)
  /// Endpoints have the block, but not its state any more.
  case stateUnavailable(UInt64)

  // The chain cannot be asked now.

  /// No endpoint gives an answer that can be used.
  case unavailable(problem: String)
  /// More unknown aggregators of the AVS are to be looked up than it may have.
  case lookupsLimited(avs: EthereumAddress, retryAfter: Duration)

  // The task.

  /// The mailbox does not know it.
  case taskUnknown(TaskID)
  /// Its result has been verified already.
  case taskFinished(TaskID)
  /// Its time is over.
  case taskExpired(TaskID)
  /// What was submitted is not what the mailbox has.
  case taskDiffers(TaskID, field: String)

  /// Stable name.
  package var code: String {
    switch self {
    case .avsNotRegistered: "avs_not_registered"
    case .aggregatorNotRegistered: "aggregator_not_registered"
    case .aggregatorKeyReplaced: "aggregator_key_replaced"
    case .operatorNotInSet: "operator_not_in_set"
    case .signingKeyNotRegistered: "signing_key_not_registered"
    case .signingKeyDiffers: "signing_key_differs"
    case .blockTooOld: "block_too_old"
    case .blockUnknown: "block_unknown"
    case .stateUnavailable: "block_state_unavailable"
    case .unavailable: "chain_unavailable"
    case .lookupsLimited: "aggregator_lookups_limited"
    case .taskUnknown: "task_not_on_chain"
    case .taskFinished: "task_finished"
    case .taskExpired: "task_expired_on_chain"
    case .taskDiffers: "task_differs"
    }
  }

  /// Says what was wrong with which field, and what to do about it.
  package var message: String {
    switch self {
    case .avsNotRegistered(let avs, let problem):
      "avs_address \(avs) has no registrar that names its operator sets (\(problem)); the AVS has to set one"
    case .aggregatorNotRegistered(let aggregator, let set, let block):
      "aggregator_address \(aggregator) is not in operator set \(set.id) of AVS \(set.avs) with a key, now and at block \(block); register it there"
    case .aggregatorKeyReplaced(let aggregator, let set, let block):
      "the key that aggregator_address \(aggregator) had in operator set \(set.id) at block \(block) was replaced too long ago; name a later block"
    case .operatorNotInSet(let set, let block):
      "this executor's operator is not in operator_set_id \(set.id) of AVS \(set.avs), now and at block \(block); it has to join the set"
    case .signingKeyNotRegistered(let set, let block):
      "this executor's operator has no key in operator_set_id \(set.id) of AVS \(set.avs) at block \(block); it has to register one"
    case .signingKeyDiffers(let set, let registered, let configured):
      "operator_set_id \(set.id) of AVS \(set.avs) knows this executor's operator by the key \(registered), and it is configured with \(configured); the operator has to configure the registered key"
    case .blockTooOld(let block, let limit):
      "task_block_number \(block) is older than \(limit.components.seconds) seconds; name a later one, or have the operator raise l1Chain.maxBlockAge"
    case .blockUnknown(let block, let head):
      "task_block_number \(block) is not known here yet, the newest block is \(head); send the task again shortly"
    case .stateUnavailable(let block):
      "no endpoint of this executor has the state of task_block_number \(block) any more; the operator has to configure an archive node"
    case .unavailable(let problem):
      "the chain cannot be read (\(problem)); nothing was accepted, send the task again later"
    case .lookupsLimited(let avs, _):
      "more unknown aggregators of avs_address \(avs) come than are looked up on the chain; send the task again later"
    case .taskUnknown(let id):
      "task_id \(id) was not created in the task mailbox; check the chain and the id"
    case .taskFinished(let id):
      "task_id \(id) has a verified result already"
    case .taskExpired(let id):
      "the time of task_id \(id) is over, as its SLA says"
    case .taskDiffers(let id, let field):
      "task_id \(id) was created with another \(field) than was submitted"
    }
  }

  /// When to send again, for those whose cause passes by itself; nil for others.
  package var retryDelay: Duration? {
    switch self {
    case .blockUnknown, .unavailable: .seconds(2)
    case .lookupsLimited(_, let delay): delay
    default: nil
    }
  }

  /// What kind of refusal it is, for edges that answer by kinds.
  package enum Kind: Sendable {
    /// Who sent it may not.
    case forbidden
    /// Something has to change before the same submission can be accepted.
    case unmet
    /// It passes by itself.
    case passing
    /// Too much comes.
    case excess
  }

  package var kind: Kind {
    switch self {
    case .aggregatorNotRegistered, .aggregatorKeyReplaced: .forbidden
    case .blockUnknown, .unavailable: .passing
    case .lookupsLimited: .excess
    default: .unmet
    }
  }
}
