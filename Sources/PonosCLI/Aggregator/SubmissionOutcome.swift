import PonosAPI
import PonosAggregator
import PonosCore
import PonosCrypto

/// How one task ended, seen from the aggregator.
struct SubmissionOutcome: Sendable, Encodable {
  var taskID: String
  /// From the first attempt to the answer.
  var milliseconds: Double
  var attempts: Int
  /// Hex; nil when there was no answer.
  var output: String?
  var isVerified = false
  /// Why there was no verified answer.
  var error: String?

  /// A task that is not answered yet.
  ///
  /// - Parameter start: When it was first sent.
  init(_ submission: WireSubmission, since start: ContinuousClock.Instant, attempts: Int = 1) {
    taskID = submission.taskID
    let (seconds, attoseconds) = (ContinuousClock.now - start).components
    milliseconds = Double(seconds) * 1000 + Double(attoseconds) / 1e15
    self.attempts = attempts
  }

  /// The same, answered.
  ///
  /// - Parameter verifier: nil leaves signatures unchecked, and the answer unverified.
  func answered(
    _ result: WireResult, to submission: WireSubmission, verifier: ResultVerifier?
  ) -> SubmissionOutcome {
    var outcome = self
    outcome.output = Hex.encodePrefixed(result.output)
    guard let verifier else { return outcome }
    do throws(ResultVerifier.Problem) {
      try verifier.check(result, for: submission)
      outcome.isVerified = true
    } catch {
      outcome.error = "the answer does not verify: \(error.message)"
    }
    return outcome
  }

  /// The same, ended without an answer.
  func failed(_ error: String) -> SubmissionOutcome {
    var outcome = self
    outcome.error = error
    return outcome
  }
}
