import PonosCore
import PonosCrypto
import PonosSystem

/// A submission that its aggregator signed, for this operator and for an operator set we can sign for. Made here only.
///
/// A class, since it is passed on many times and never changes: a copy is one reference, not one for each field.
package final class ValidatedTask: Sendable {
  package let submission: TaskSubmission
  /// Signs the result.
  package let curve: SignatureCurve
  /// Equal for equal tasks, however their hex is written; the same id with another hash is another task.
  package let contentHash: Digest32

  fileprivate init(submission: TaskSubmission, curve: SignatureCurve, contentHash: Digest32) {
    self.submission = submission
    self.curve = curve
    self.contentHash = contentHash
  }
}

/// Decides whether a submission is legitimate: cheap checks first, the signature last.
package struct TaskValidator: Sendable {
  private let operatorAddress: EthereumAddress
  private let registry: any OperatorSetRegistry
  private let verifier: SignatureVerifier
  /// The curves we hold keys of, for an operator set.
  private let signers: @Sendable (OperatorSet) -> Set<SignatureCurve>
  private let maxPayloadBytes: @Sendable (EthereumAddress) -> Int
  private let checkOnChain: @Sendable (TaskSubmission) async throws(Rejection) -> UnixMilliseconds?

  /// - Parameters:
  ///   - maxPayloadBytes: Largest payload of an AVS's tasks; never more than `TaskSubmission.maxPayloadBytes`.
  ///   - checkOnChain: Refuses a task that the AVS's mailbox does not have; returns the deadline that the mailbox gives it.
  package init(
    operatorAddress: EthereumAddress, registry: any OperatorSetRegistry, verifier: SignatureVerifier = SignatureVerifier(),
    signers: @escaping @Sendable (OperatorSet) -> Set<SignatureCurve>,
    maxPayloadBytes: @escaping @Sendable (EthereumAddress) -> Int = { _ in TaskSubmission.maxPayloadBytes },
    checkOnChain: @escaping @Sendable (TaskSubmission) async throws(Rejection) -> UnixMilliseconds? = { _ in nil }
  ) {
    self.checkOnChain = checkOnChain
    self.operatorAddress = operatorAddress
    self.registry = registry
    self.verifier = verifier
    self.signers = signers
    self.maxPayloadBytes = maxPayloadBytes
  }

  /// Every check that needs neither the journal nor a performer.
  package func validate(_ submission: TaskSubmission) async throws(Rejection) -> ValidatedTask {
    try checkWithoutAsking(submission)
    let digest = signedDigest(of: submission)
    let standing = try await registry.standing(of: claim(of: submission, digest))
    try checkSigner(standing.curve, for: submission.operatorSet)
    do throws(SignatureError) {
      try await verifier.verifyMessage(digest, signature: submission.signature, by: standing.aggregatorKey)
    } catch {
      throw .badSignature(error.message)
    }
    var submission = submission
    if let deadline = try await checkOnChain(submission) {
      submission.urgency.deadline = min(submission.urgency.deadline ?? .max, deadline)
    }
    return ValidatedTask(
      submission: submission, curve: standing.curve, contentHash: contentHash(of: submission, signed: digest))
  }

  /// A task whose signature was verified and whose content was hashed before it was written down. Throws when the configuration
  /// no longer covers it.
  ///
  /// - Parameter contentHash: Stored beside the submission, both under one seal.
  package func revalidate(_ submission: TaskSubmission, contentHash: Digest32) async throws(Rejection) -> ValidatedTask {
    try checkExecutor(of: submission)
    let curve = try await registry.acceptedCurve(of: submission.operatorSet)
    try checkSigner(curve, for: submission.operatorSet)
    return ValidatedTask(submission: submission, curve: curve, contentHash: contentHash)
  }

  /// Hash of what a submission claims; says nothing about its signature.
  package func contentHash(of submission: TaskSubmission) -> Digest32 {
    contentHash(of: submission, signed: signedDigest(of: submission))
  }

  /// What costs no request to anybody.
  private func checkWithoutAsking(_ submission: TaskSubmission) throws(Rejection) {
    try checkExecutor(of: submission)
    let (avs, size) = (submission.operatorSet.avs, submission.payload.count)
    try registry.checkServes(avs)
    let limit = maxPayloadBytes(avs)
    guard size <= limit else { throw .payloadTooLarge(avs: avs, count: size, limit: limit) }
  }

  private func checkExecutor(of submission: TaskSubmission) throws(Rejection) {
    guard submission.executor == operatorAddress else {
      throw .wrongExecutor(named: submission.executor, ours: operatorAddress)
    }
  }

  private func checkSigner(_ curve: SignatureCurve, for set: OperatorSet) throws(Rejection) {
    guard signers(set).contains(curve) else { throw .noSigner(curve, operatorSet: set) }
  }

  private func claim(of submission: TaskSubmission, _ digest: Digest32) -> SubmissionClaim {
    SubmissionClaim(
      operatorSet: submission.operatorSet, aggregator: submission.aggregator, block: submission.taskBlockNumber,
      signature: submission.signature, digest: digest,
      isSignedBy: { [verifier] key in
        do throws(SignatureError) {
          try await verifier.verifyMessage(digest, signature: submission.signature, by: key)
          return true
        } catch {
          return false
        }
      })
  }

  private func signedDigest(of submission: TaskSubmission) -> Digest32 {
    // Our own address, not the one in the message: a signature for another operator can then never fit.
    SubmissionMessage(
      taskID: submission.id, avs: submission.operatorSet.avs, executor: operatorAddress,
      operatorSetID: submission.operatorSet.id, referenceTimestamp: submission.referenceTimestamp,
      blockNumber: submission.taskBlockNumber, payload: submission.payload
    ).digest
  }

  /// The signed digest covers all but the aggregator's address and the version, of which there is one.
  private func contentHash(of submission: TaskSubmission, signed digest: Digest32) -> Digest32 {
    Keccak256.hash(digest.bytes + submission.aggregator.bytes)
  }
}
