/// What a run says about the performer, rather than about the task.
package enum RunOutcome: Sendable, Equatable {
  /// It answered, be it with an error: it works.
  case answered
  /// It could not be reached, broke off, or answered something it was not asked.
  case failed
  /// It gave no answer in the time it was given.
  case timedOut(after: Duration)
  /// Nothing: the run ended for reasons of our own.
  case unjudged

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
