import PonosAPI
import PonosCore
import PonosCrypto
import SwiftProtobuf

/// Signs checked results: records the digest first, then signs, then verifies what it made.
package struct SigningService: Sendable {
  private let keys: KeyRing
  private let operatorAddress: EthereumAddress
  private let ecdsaVerifier: EthereumAddress
  private let journal: TaskJournal
  private let metrics: ExecutorMetrics

  /// - Parameter ecdsaVerifier: The contract whose address is part of ECDSA certificate digests.
  package init(
    keys: KeyRing, operatorAddress: EthereumAddress, ecdsaVerifier: EthereumAddress, journal: TaskJournal,
    metrics: ExecutorMetrics
  ) {
    self.keys = keys
    self.operatorAddress = operatorAddress
    self.ecdsaVerifier = ecdsaVerifier
    self.journal = journal
    self.metrics = metrics
  }

  package func sign(_ result: CollectedResult) async throws(TaskFailure) -> SignedResult {
    let task = result.accepted.task
    guard let key = keys[task.curve] else {
      throw .signingFailed("there is no \(task.curve.rawValue) key any more")
    }
    let certificate = digest(of: result)
    try await journal.collect(result.output, digest: certificate.digest, curve: task.curve, for: task)
    let signatures = try signatures(over: certificate, for: task.submission, with: key)
    return SignedResult(
      id: task.submission.id, avs: task.submission.operatorSet.avs, acceptedAt: result.accepted.acceptedAt,
      wire: message(for: task.submission, output: result.output, signatures: signatures))
  }

  private func digest(of result: CollectedResult) -> CertificateDigest {
    let task = result.accepted.task
    let message = ResultMessage(taskID: task.submission.id, result: result.output)
    return .make(
      curve: task.curve, messageHash: message.digest, referenceTimestamp: task.submission.referenceTimestamp,
      ecdsaVerifier: ecdsaVerifier)
  }

  private func signatures(
    over certificate: CertificateDigest, for submission: TaskSubmission, with key: SigningKey
  ) throws(TaskFailure) -> ResultSignatures {
    let start = ContinuousClock.now
    defer { metrics.taskSigned(key.curve, seconds: (ContinuousClock.now - start).seconds) }
    do throws(SigningError) {
      return try key.signResult(
        certificate, taskID: submission.id, operatorSet: submission.operatorSet, operatorAddress: operatorAddress)
    } catch {
      throw .signingFailed(error.message)
    }
  }

  private func message(
    for submission: TaskSubmission, output: [UInt8], signatures: ResultSignatures
  ) -> Eigenlayer_Hourglass_V1_TaskResult {
    .with { message in
      message.taskID = submission.id.description
      message.operatorAddress = operatorAddress.description
      message.output = .init(output)
      message.resultSignature = .init(signatures.result)
      message.avsAddress = submission.operatorSet.avs.description
      message.operatorSetID = submission.operatorSet.id
      message.authSignature = .init(signatures.auth)
      message.version = submission.version
    }
  }
}
