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
}
