import Foundation
import PonosAPI
import PonosCore
import PonosCrypto
import SwiftProtobuf

/// The parts that all submissions of a run share: everything but the task id.
struct SubmissionPlan: Sendable {
  var key: SigningKey
  var aggregator: EthereumAddress
  var operatorSet: OperatorSet
  var executor: EthereumAddress
  var payload: [UInt8]
  var referenceTimestamp: UInt32
  var blockNumber: UInt64

  /// A signed submission of task `id`.
  func submission(_ id: TaskID) throws(SigningError) -> Eigenlayer_Hourglass_V1_TaskSubmission {
    let message = SubmissionMessage(
      taskID: id, avs: operatorSet.avs, executor: executor, operatorSetID: operatorSet.id,
      referenceTimestamp: referenceTimestamp, blockNumber: blockNumber, payload: payload)
    let signature = try key.signMessage(message.digest)
    return .with { submission in
      submission.taskID = id.description
      submission.aggregatorAddress = aggregator.description
      submission.avsAddress = operatorSet.avs.description
      submission.payload = Data(payload)
      submission.signature = Data(signature)
      submission.operatorSetID = operatorSet.id
      submission.referenceTimestamp = referenceTimestamp
      submission.executorAddress = executor.description
      submission.taskBlockNumber = blockNumber
      submission.version = 1
    }
  }

  /// A random id, which no other task has. The mailbox contract would hash one.
  static func randomID() -> TaskID {
    TaskID(unchecked: (0..<TaskID.count).map { _ in UInt8.random(in: .min ... .max) })
  }
}

/// Checks an executor's answer as an aggregator does before it counts it. Each case holds what the operator registered for the executor
/// operator set.
enum ResultVerifier: Sendable {
  /// `contract` is the one whose address is part of certificate digests.
  case ecdsa(signer: EthereumAddress, contract: EthereumAddress)
  case bn254(BN254PublicKey)

  /// Why the result does not count; nil when both of its signatures verify and it answers the submission.
  func problem(
    of result: Eigenlayer_Hourglass_V1_TaskResult, to submission: Eigenlayer_Hourglass_V1_TaskSubmission
  ) -> String? {
    guard result.taskID == submission.taskID else { return "it answers task \(result.taskID)" }
    guard result.operatorSetID == submission.operatorSetID else { return "it is for operator set \(result.operatorSetID)" }
    guard let id = TaskID(hex: result.taskID), let avs = EthereumAddress(hex: result.avsAddress),
      let executor = EthereumAddress(hex: result.operatorAddress)
    else { return "its addresses cannot be read" }
    guard executor == EthereumAddress(hex: submission.executorAddress), avs == EthereumAddress(hex: submission.avsAddress)
    else { return "it comes from another operator or AVS" }
    let certificate = certificate(
      of: ResultMessage(taskID: id, result: Array(result.output)), referenceTimestamp: submission.referenceTimestamp)
    let auth = AuthMessage(
      taskID: id, operatorSet: OperatorSet(avs: avs, id: result.operatorSetID), operatorAddress: executor,
      resultSignature: Array(result.resultSignature))
    do throws(SignatureError) {
      try key.verifyCertificate(certificate, signature: Array(result.resultSignature))
      try key.verifyMessage(auth.digest, signature: Array(result.authSignature))
      return nil
    } catch {
      return "signature \(error.message)"
    }
  }

  /// What the executor's signatures are checked against.
  var key: VerificationKey {
    switch self {
    case .ecdsa(let signer, _): .ecdsa(signer)
    case .bn254(let publicKey): .bn254(publicKey)
    }
  }

  private func certificate(of message: ResultMessage, referenceTimestamp: UInt32) -> CertificateDigest {
    switch self {
    case .ecdsa(_, let contract):
      .ecdsa(messageHash: message.digest, referenceTimestamp: referenceTimestamp, verifier: contract)
    case .bn254:
      .bn254(messageHash: message.digest, referenceTimestamp: referenceTimestamp)
    }
  }
}
