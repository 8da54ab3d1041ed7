import PonosCore

/// The message that an executor signs to bind a result signature to itself, the AVS and the operator set.
///
/// Equal to `abi.encode(bytes32,address,address,uint32,bytes32)`.
package struct AuthMessage: Hashable, Sendable {
  package var taskID: TaskID
  package var operatorSet: OperatorSet
  /// The operator this executor runs for.
  package var operatorAddress: EthereumAddress
  /// The result signature exactly as it is sent; only its hash is signed.
  package var resultSignature: [UInt8]

  package init(
    taskID: TaskID, operatorSet: OperatorSet, operatorAddress: EthereumAddress, resultSignature: [UInt8]
  ) {
    self.taskID = taskID
    self.operatorSet = operatorSet
    self.operatorAddress = operatorAddress
    self.resultSignature = resultSignature
  }

  /// 160 bytes.
  package var preimage: [UInt8] {
    taskID.bytes
      + ABIWord.encode(operatorSet.avs)
      + ABIWord.encode(operatorAddress)
      + ABIWord.encode(operatorSet.id)
      + Keccak256.hash(resultSignature).bytes
  }

  /// The digest to sign or verify.
  package var digest: Digest32 { Keccak256.hash(preimage) }
}
