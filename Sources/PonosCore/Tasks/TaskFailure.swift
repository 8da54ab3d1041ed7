/// Why an accepted task ended without a signed result.
package enum TaskFailure: Error, Hashable, Sendable {
  /// The performer answered with an error: a definite answer, never asked again.
  case performerError(code: Int, message: String)
  /// The performer asked for another try each time, until the task's time was over. `retryAfter` is the pause it asked for last;
  /// nil when it named none.
  case performerBusy(String, retryAfter: Duration?)
  /// The performer could not be reached, or broke off before an answer.
  case performerUnreachable(String)
  /// `containers` containers died running this task; the last ran nothing else.
  case performerCrashed(containers: Int)
  /// No answer within the task's time.
  case timedOut
  /// The task's time was over before a performer was free.
  case expired
  /// The performer answered for another task.
  case wrongTaskID
  /// The output is so large that aggregators would drop it.
  case outputTooLarge(limit: Int)
  /// The queue was full, and another task took its place as this policy says.
  case displaced(OverflowPolicy)
  /// The output does not keep the rules configured for the AVS.
  case outputInvalid(ResponseRules.Violation)
  /// Another digest was signed for this task id before.
  case digestConflict(recorded: Digest32)
  /// The key failed, or the signature did not verify against our own public key.
  case signingFailed(String)
  /// The aggregator took the task back before a performer had answered it.
  case cancelled
  /// The daemon was down when the task's time ended.
  case expiredWhileDown
  /// The journal takes no more writes because the daemon stops. This failure is never recorded: the next start takes the task up.
  case journalUnavailable(String)
  /// The row does not allow the write: it is unreadable, damaged, unknown, or finished.
  case journalRefused(String)

  /// Stable name: metric label, log field, gRPC detail, stored with the task.
  package var code: String {
    switch self {
    case .performerError: "performer_error"
    case .performerBusy: "performer_busy"
    case .performerUnreachable: "performer_unreachable"
    case .performerCrashed: "performer_crashed"
    case .timedOut: "task_timed_out"
    case .expired: "task_expired"
    case .wrongTaskID: "wrong_task_id"
    case .outputTooLarge: "output_too_large"
    case .displaced: "task_displaced"
    case .outputInvalid: "output_invalid"
    case .digestConflict: "digest_conflict"
    case .signingFailed: "signing_failed"
    case .cancelled: "task_cancelled"
    case .expiredWhileDown: "task_expired_while_down"
    case .journalUnavailable: "journal_unavailable"
    case .journalRefused: "journal_refused"
    }
  }

  /// Whether running the task again, within its time, may end otherwise.
  package var isRetryable: Bool {
    switch self {
    case .performerUnreachable, .performerBusy: true
    case .performerError, .performerCrashed, .timedOut, .expired, .wrongTaskID, .outputTooLarge, .outputInvalid, .displaced,
      .digestConflict, .signingFailed, .cancelled, .expiredWhileDown, .journalUnavailable, .journalRefused:
      false
    }
  }

  /// The least pause before another run, where the performer has asked for one.
  package var retryAfter: Duration? {
    if case .performerBusy(_, let pause) = self { pause } else { nil }
  }

  /// Says what happened and who has to act.
  package var message: String {
    switch self {
    case .performerError(let code, let message):
      "the performer failed the task with status \(code): \(message)"
    case .performerBusy(let problem, _):
      "the performer asked to be asked again for as long as the task's time allowed: \(problem)"
    case .performerUnreachable(let problem):
      "the performer could not be reached within the task's time: \(problem)"
    case .performerCrashed(let containers):
      "\(containers) containers of the performer ended while they worked on this task, the last one on nothing else; "
        + "the performer seems to crash on it, and its log says why"
    case .timedOut:
      "the performer did not answer within the task's time; raise taskTimeout if its work takes longer"
    case .expired:
      "the task's time ended before a performer was free; raise concurrency or taskTimeout"
    case .wrongTaskID:
      "the performer answered for another task id; its author has to echo the request's task_id"
    case .outputTooLarge(let limit):
      "the output has more than \(limit) bytes, which aggregators would drop; the performer has to answer shorter"
    case .displaced(let policy):
      "the queue of the AVS was full and another task took this one's place (queue.overflow is \(policy.rawValue)); "
        + "raise queue.maxPerAvs or concurrency"
    case .outputInvalid(let violation):
      "the output does not keep responseRules: \(violation.message); correct the performer, or the rules"
    case .digestConflict(let recorded):
      "digest \(recorded) was signed for this task id before, and the new output has another; it was not signed"
    case .signingFailed(let problem):
      "the result could not be signed: \(problem)"
    case .cancelled:
      "the aggregator cancelled the task before it was answered"
    case .expiredWhileDown:
      "the task's time ended while the executor was down"
    case .journalRefused(let problem):
      "the task's progress does not fit the journal: \(problem)"
    case .journalUnavailable(let problem):
      "the task's progress could not be written down: \(problem)"
    }
  }
}

extension RunOutcome {
  /// What a run that failed like this says about the performer.
  ///
  /// - Parameter duration: Of the run.
  package init(_ failure: TaskFailure, after duration: Duration) {
    switch failure {
    // A definite answer is an answer. Counting it would let an aggregator's bad tasks close a performer to everybody.
    case .performerError, .performerBusy, .outputTooLarge, .outputInvalid: self = .answered
    case .performerUnreachable, .wrongTaskID: self = .failed
    case .timedOut: self = .timedOut(after: duration)
    case .performerCrashed, .expired, .cancelled, .expiredWhileDown, .displaced, .digestConflict, .signingFailed,
      .journalUnavailable, .journalRefused:
      self = .unjudged
    }
  }
}
