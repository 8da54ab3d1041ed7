/// What an aggregator asks for, well-formed but not yet trusted: nothing is known of its signature or of the AVS.
package struct TaskSubmission: Sendable, Equatable {
  /// Largest payload, in bytes: with the task id and its framing (73 bytes) it makes a message of 4 MiB at the most, which is
  /// what gRPC libraries of performers take unless told otherwise. A submission of 4 MiB is never refused for it: it holds a
  /// smaller payload. The transport lets a little more through, so that the refusal can name the field.
  package static let maxPayloadBytes = (4 << 20) - 128

  package let id: TaskID
  /// The id as the aggregator wrote it; the answer repeats it to the letter.
  package let idText: String
  /// Operator address of the aggregator, which names the key that must have signed.
  package let aggregator: EthereumAddress
  package let operatorSet: OperatorSet
  /// Operator address of the executor meant.
  package let executor: EthereumAddress
  /// Handed to the performer as it is; may be empty.
  package let payload: [UInt8]
  /// 65 bytes (ECDSA) or 64 bytes (BN254), unchecked.
  package let signature: [UInt8]
  /// Timestamp of the operator table the certificate refers to; never 0.
  package let referenceTimestamp: UInt32
  /// L1 block at which the aggregator looked at the chain; 0 means latest.
  package let taskBlockNumber: UInt64
  /// Version of the signed message.
  package let version: UInt32
  /// How urgent the sender says the task is.
  package var urgency: TaskUrgency

  package init(
    id: TaskID, idText: String, aggregator: EthereumAddress, operatorSet: OperatorSet, executor: EthereumAddress,
    payload: [UInt8], signature: [UInt8], referenceTimestamp: UInt32, taskBlockNumber: UInt64, version: UInt32,
    urgency: TaskUrgency = TaskUrgency()
  ) {
    self.id = id
    self.idText = idText
    self.aggregator = aggregator
    self.operatorSet = operatorSet
    self.executor = executor
    self.payload = payload
    self.signature = signature
    self.referenceTimestamp = referenceTimestamp
    self.taskBlockNumber = taskBlockNumber
    self.version = version
    self.urgency = urgency
  }

  /// Whose task this is, if the signature holds.
  package var owner: TaskOwner { TaskOwner(aggregator: aggregator, avs: operatorSet.avs) }
}
