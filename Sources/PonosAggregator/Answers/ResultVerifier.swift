import PonosAPI
import PonosCore
import PonosCrypto

/// Checks answers as an aggregator has to before it counts their stake.
package struct ResultVerifier: Sendable {
  /// Operator address of the executor.
  private let operatorAddress: EthereumAddress
  /// What the operator registered for the executor operator set.
  package let registered: RegisteredKey

  package init(operatorAddress: EthereumAddress, registered: RegisteredKey) {
    self.operatorAddress = operatorAddress
    self.registered = registered
  }

  /// Why an answer is worthless.
  package enum Problem: Error, Equatable {
    /// The id is not the submission's to the letter: the aggregator would look for another task.
    case taskIDNotEchoed(String)
    /// A field says something else than the submission, or says it otherwise.
    case field(String, got: String, expected: String)
    case resultSignature(String)
    case authSignature(String)

    /// For an operator.
    package var message: String {
      switch self {
      case .taskIDNotEchoed(let id): "it answers task \(id)"
      case .field(let name, let got, let expected): "its \(name) is \(got), not \(expected)"
      case .resultSignature(let text): "its result signature \(text)"
      case .authSignature(let text): "its auth signature \(text)"
      }
    }
  }

  /// Throws unless `result` answers `submission`, to the letter, and both its signatures are this operator's.
  package func check(_ result: WireResult, for submission: WireSubmission) throws(Problem) {
    guard Array(result.taskID.utf8) == Array(submission.taskID.utf8) else { throw .taskIDNotEchoed(result.taskID) }
    try same("operator_address", result.operatorAddress, operatorAddress.description)
    try same("avs_address", result.avsAddress, submission.avsAddress.lowercased())
    try same("operator_set_id", "\(result.operatorSetID)", "\(submission.operatorSetID)")
    try same("version", "\(result.version)", "1")
    guard let id = TaskID(hex: submission.taskID), let avs = EthereumAddress(hex: submission.avsAddress) else {
      throw .field("task_id or avs_address", got: submission.taskID, expected: "hex")
    }
    let certificate = registered.certificate(
      of: ResultMessage(taskID: id, result: Array(result.output)), referenceTimestamp: submission.referenceTimestamp)
    do throws(SignatureError) {
      try registered.key.verifyCertificate(certificate, signature: Array(result.resultSignature))
    } catch { throw .resultSignature(error.message) }
    let auth = AuthMessage(
      taskID: id, operatorSet: OperatorSet(avs: avs, id: submission.operatorSetID), operatorAddress: operatorAddress,
      resultSignature: Array(result.resultSignature))
    do throws(SignatureError) {
      try registered.key.verifyMessage(auth.digest, signature: Array(result.authSignature))
    } catch { throw .authSignature(error.message) }
  }

  private func same(_ field: String, _ got: String, _ expected: String) throws(Problem) {
    guard got == expected else { throw .field(field, got: got, expected: expected) }
  }
}
