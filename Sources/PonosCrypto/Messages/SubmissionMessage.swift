import PonosCore

/// The message that an aggregator signs when it submits a task (message version 1, the only one there is).
///
/// Equal to `abi.encode(bytes32,address,address,uint32,uint32,uint64,bytes32)`, with the reference timestamp
/// before the block number. The aggregator's address and the version are not part of it.
package struct SubmissionMessage: Hashable, Sendable {
  package var taskID: TaskID
  package var avs: EthereumAddress
  /// The operator address this executor is configured with, never the one a request claims.
  package var executor: EthereumAddress
  package var operatorSetID: UInt32
  /// Unix seconds at which the operator table is read.
  package var referenceTimestamp: UInt32
  /// L1 block of the task.
  package var blockNumber: UInt64
  /// The task's input; only its hash is signed.
  package var payload: [UInt8]

  package init(
    taskID: TaskID, avs: EthereumAddress, executor: EthereumAddress, operatorSetID: UInt32,
    referenceTimestamp: UInt32, blockNumber: UInt64, payload: [UInt8]
  ) {
    self.taskID = taskID
    self.avs = avs
    self.executor = executor
    self.operatorSetID = operatorSetID
    self.referenceTimestamp = referenceTimestamp
    self.blockNumber = blockNumber
    self.payload = payload
  }

  /// 224 bytes.
  package var preimage: [UInt8] {
    taskID.bytes
      + ABIWord.encode(avs)
      + ABIWord.encode(executor)
      + ABIWord.encode(operatorSetID)
      + ABIWord.encode(referenceTimestamp)
      + ABIWord.encode(blockNumber)
      + Keccak256.hash(payload).bytes
  }

  /// The digest to sign or verify.
  package var digest: Digest32 { Keccak256.hash(preimage) }
}
