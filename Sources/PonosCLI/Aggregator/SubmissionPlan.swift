import PonosAggregator
import PonosCore
import PonosCrypto

/// The parts that all submissions of a run share: everything but the task id.
struct SubmissionPlan: Sendable {
  var signer: SubmissionSigner
  /// Its id is replaced for each task.
  var draft: SubmissionDraft

  /// A signed submission of task `id`.
  func submission(_ id: TaskID) throws(SigningError) -> WireSubmission {
    var draft = draft
    draft.id = id
    return try signer.sign(draft)
  }
}
