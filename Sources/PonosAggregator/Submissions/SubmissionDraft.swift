import PonosCore
import PonosCrypto

/// A task as an aggregator describes it, before it signs: what the submission says beside who submits it.
package struct SubmissionDraft: Sendable {
  package var id: TaskID
  package var avs: EthereumAddress
  /// Operator address of the executor that is asked.
  package var executor: EthereumAddress
  package var operatorSetID: UInt32
  package var payload: [UInt8]
  /// Unix seconds at which the operator table is read.
  package var referenceTimestamp: UInt32
  /// L1 block of the task; 0 is the latest.
  package var blockNumber: UInt64
  /// Version of the protocol; 1 is the only one there is.
  package var version: UInt32 = 1

  package init(
    id: TaskID = .random(), avs: EthereumAddress, executor: EthereumAddress, operatorSetID: UInt32, payload: [UInt8],
    referenceTimestamp: UInt32, blockNumber: UInt64
  ) {
    self.id = id
    self.avs = avs
    self.executor = executor
    self.operatorSetID = operatorSetID
    self.payload = payload
    self.referenceTimestamp = referenceTimestamp
    self.blockNumber = blockNumber
  }

  /// What the aggregator's signature is over.
  package var message: SubmissionMessage {
    SubmissionMessage(
      taskID: id, avs: avs, executor: executor, operatorSetID: operatorSetID, referenceTimestamp: referenceTimestamp,
      blockNumber: blockNumber, payload: payload)
  }
}

extension TaskID {
  /// An id no other task has: the mailbox contract would hash one up, here chance does.
  package static func random() -> TaskID {
    TaskID(unchecked: (0..<count).map { _ in UInt8.random(in: .min ... .max) })
  }
}
