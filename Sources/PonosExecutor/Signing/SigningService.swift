import PonosAPI
import PonosCore
import PonosCrypto
import PonosSystem
import SwiftProtobuf

/// Signs checked results and verifies the signatures.
///
/// A key in this process signs in memory, and the digest is recorded together with the signed result, before that leaves
/// (`TaskJournal.finish`). The use of any other key shows outside, so its digest is recorded first, with the output.
package struct SigningService: Sendable {
  private let keys: KeyRing
  private let operatorAddress: EthereumAddress
  private let ecdsaDomain: Digest32
  private let verifier: SignatureVerifier
  private let journal: TaskJournal
  private let metrics: ExecutorMetrics
  private let audit: AuditLog

  /// - Parameters:
  ///   - ecdsaVerifier: The contract whose address is part of ECDSA certificate digests.
  ///   - verifier: Verifies what was signed.
  package init(
    keys: KeyRing, operatorAddress: EthereumAddress, ecdsaVerifier: EthereumAddress,
    verifier: SignatureVerifier = SignatureVerifier(), journal: TaskJournal, metrics: ExecutorMetrics, audit: AuditLog
  ) {
    self.keys = keys
    self.operatorAddress = operatorAddress
    ecdsaDomain = CertificateVerifiers.domainSeparator(verifier: ecdsaVerifier)
    self.verifier = verifier
    self.journal = journal
    self.metrics = metrics
    self.audit = audit
  }

  /// Signs a result. Throws `.digestConflict` without a signature when another digest is known to be recorded for the task.
  package func sign(_ result: CollectedResult) async throws(TaskFailure) -> UnrecordedResult {
    let task = result.accepted.task
    let signer = try signer(for: task)
    let certificate = certificate(for: task, output: result.output)
    do throws(TaskFailure) {
      if result.accepted.hasDigest { try await journal.expect(certificate.digest, for: task) }
      if !signer.isInThisProcess {
        try await journal.collect(result.output, digest: certificate.digest, curve: task.curve, for: task)
      }
    } catch {
      throw noted(error, of: task, refused: certificate.digest)
    }
    return UnrecordedResult(
      task: task, digest: certificate.digest, result: try await signedResult(result.output, certificate, for: task, signer))
  }

  /// Records a signed result with its digest; what is returned may leave. Throws `.digestConflict` when another digest is recorded.
  package func record(_ result: UnrecordedResult) async throws(TaskFailure) -> SignedResult {
    do throws(TaskFailure) { return try await journal.finish(result) } catch {
      throw noted(error, of: result.task, refused: result.digest)
    }
  }

  private func noted(_ error: TaskFailure, of task: ValidatedTask, refused digest: Digest32) -> TaskFailure {
    if case .digestConflict(let recorded) = error {
      audit.record(.digestConflict(task.submission, recorded: recorded, refused: digest))
    }
    return error
  }

  /// Signs an output again whose digest was recorded before. The signatures are the same, since signing is deterministic. Throws
  /// `.digestConflict` when the output does not have the recorded digest.
  func signAgain(
    _ output: [UInt8], of task: ValidatedTask, recorded: Digest32
  ) async throws(TaskFailure) -> SignedResult {
    let signer = try signer(for: task)
    let certificate = certificate(for: task, output: output)
    guard certificate.digest == recorded else { throw .digestConflict(recorded: recorded) }
    return try await signedResult(output, certificate, for: task, signer)
  }

  private func signer(for task: ValidatedTask) throws(TaskFailure) -> Signer {
    guard let signer = keys.key(task.curve, for: task.submission.operatorSet) else {
      throw .signingFailed("there is no \(task.curve.rawValue) key any more")
    }
    return signer
  }

  private func signedResult(
    _ output: [UInt8], _ certificate: CertificateDigest, for task: ValidatedTask, _ signer: Signer
  ) async throws(TaskFailure) -> SignedResult {
    let signatures = try await signatures(over: certificate, for: task.submission, with: signer)
    return SignedResult(
      id: task.submission.id, avs: task.submission.operatorSet.avs,
      wire: message(for: task.submission, output: output, signatures: signatures))
  }

  private func certificate(for task: ValidatedTask, output: [UInt8]) -> CertificateDigest {
    let message = ResultMessage(taskID: task.submission.id, result: output)
    return .make(
      curve: task.curve, messageHash: message.digest, referenceTimestamp: task.submission.referenceTimestamp,
      ecdsaDomain: ecdsaDomain)
  }

  /// Makes both signatures of a result, and returns them only when they verify, wherever the key is.
  private func signatures(
    over certificate: CertificateDigest, for submission: TaskSubmission, with signer: Signer
  ) async throws(TaskFailure) -> ResultSignatures {
    let start = ContinuousClock.now
    defer { metrics.taskSigned(signer.curve, seconds: (ContinuousClock.now - start).seconds) }
    do throws(SigningError) {
      let result = try await signer.sign(.certificate(certificate))
      let message = AuthMessage(
        taskID: submission.id, operatorSet: submission.operatorSet, operatorAddress: operatorAddress, resultSignature: result)
      let signatures = ResultSignatures(result: result, auth: try await signer.sign(.message(message.digest)))
      try await verify(signatures, certificate, message.digest, by: signer.verificationKey)
      return signatures
    } catch {
      throw .signingFailed(error.message)
    }
  }

  private func verify(
    _ signatures: ResultSignatures, _ certificate: CertificateDigest, _ authDigest: Digest32, by key: VerificationKey
  ) async throws(SigningError) {
    do throws(SignatureError) {
      try await verifier.verifyResult(certificate, authDigest: authDigest, signatures: signatures, by: key)
    } catch {
      throw .selfVerificationFailed
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
