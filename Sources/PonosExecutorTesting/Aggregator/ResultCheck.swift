import PonosAPI
import PonosCore
import PonosCrypto

/// Checks answers as an aggregator has to before it counts their stake.
package struct ResultCheck: Sendable {
  private let operatorAddress: EthereumAddress
  private let key: VerificationKey
  private let ecdsaVerifier: EthereumAddress

  /// - Parameters:
  ///   - key: What the operator registered for the executor operator set.
  ///   - ecdsaVerifier: The contract in whose domain ECDSA certificates are signed.
  package init(operatorAddress: EthereumAddress, key: VerificationKey, ecdsaVerifier: EthereumAddress) {
    self.operatorAddress = operatorAddress
    self.key = key
    self.ecdsaVerifier = ecdsaVerifier
  }

  /// Why an answer is worthless.
  package enum Problem: Error, Equatable {
    case taskIDNotEchoed(String)
    case field(String, got: String, expected: String)
    case resultSignature(String)
    case authSignature(String)
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
    let certificate = CertificateDigest.make(
      curve: key.curve, messageHash: ResultMessage(taskID: id, result: Array(result.output)).digest,
      referenceTimestamp: submission.referenceTimestamp, ecdsaVerifier: ecdsaVerifier)
    do throws(SignatureError) {
      try key.verifyCertificate(certificate, signature: Array(result.resultSignature))
    } catch { throw .resultSignature(error.message) }
    let auth = AuthMessage(
      taskID: id, operatorSet: OperatorSet(avs: avs, id: submission.operatorSetID), operatorAddress: operatorAddress,
      resultSignature: Array(result.resultSignature))
    do throws(SignatureError) {
      try key.verifyMessage(auth.digest, signature: Array(result.authSignature))
    } catch { throw .authSignature(error.message) }
  }

  private func same(_ field: String, _ got: String, _ expected: String) throws(Problem) {
    guard got == expected else { throw .field(field, got: got, expected: expected) }
  }
}
