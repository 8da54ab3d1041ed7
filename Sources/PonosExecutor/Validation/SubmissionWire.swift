import PonosAPI
import PonosCore
import SwiftProtobuf

extension TaskSubmission {
  /// Reads the wire message, checking the shape of every field and nothing else.
  package init(wire message: Eigenlayer_Hourglass_V1_TaskSubmission) throws(Rejection) {
    guard let id = TaskID(hex: message.taskID) else {
      throw .malformed(
        field: "task_id",
        problem:
          "has \(message.taskID.utf8.count) characters; it must be 0x and 64 hex digits, the task hash of the mailbox contract")
    }
    let aggregator = try Self.address(message.aggregatorAddress, field: "aggregator_address")
    let avs = try Self.address(message.avsAddress, field: "avs_address")
    let executor = try Self.address(message.executorAddress, field: "executor_address")
    guard !message.signature.isEmpty else {
      throw .malformed(
        field: "signature", problem: "is empty; sign the submission with the aggregator's key (65 bytes ECDSA, 64 bytes BN254)")
    }
    guard message.payload.count <= Self.maxPayloadBytes else {
      throw .payloadTooLarge(avs: avs, count: message.payload.count, limit: Self.maxPayloadBytes)
    }
    guard message.referenceTimestamp != 0 else {
      throw .malformed(
        field: "reference_timestamp", problem: "is 0; it must be the timestamp of the operator table the task refers to")
    }
    guard message.version == 1 else { throw .unsupportedVersion(message.version) }
    self.init(
      id: id, idText: message.taskID, aggregator: aggregator,
      operatorSet: OperatorSet(avs: avs, id: message.operatorSetID), executor: executor,
      payload: Array(message.payload), signature: Array(message.signature),
      referenceTimestamp: message.referenceTimestamp, taskBlockNumber: message.taskBlockNumber,
      version: message.version)
  }

  private static func address(_ text: String, field: String) throws(Rejection) -> EthereumAddress {
    guard let address = EthereumAddress(hex: text) else {
      throw .malformed(
        field: field, problem: "has \(text.utf8.count) characters; it must be 0x and 40 hex digits")
    }
    return address
  }

  /// The wire message again, addresses in lower case: what is stored with an accepted task.
  package var wire: Eigenlayer_Hourglass_V1_TaskSubmission {
    .with { message in
      message.taskID = idText
      message.aggregatorAddress = aggregator.description
      message.avsAddress = operatorSet.avs.description
      message.payload = .init(payload)
      message.signature = .init(signature)
      message.operatorSetID = operatorSet.id
      message.referenceTimestamp = referenceTimestamp
      message.executorAddress = executor.description
      message.taskBlockNumber = taskBlockNumber
      message.version = version
    }
  }
}
