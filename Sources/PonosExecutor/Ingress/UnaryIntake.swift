import PonosCore

/// Takes in submissions of unary calls, whose callers wait for the outcome.
package struct UnaryIntake: Sendable {
  let admission: Admission

  package init(admission: Admission) {
    self.admission = admission
  }

  private enum Entry {
    /// There is nothing to wait for.
    case known(TaskOutcome)
    case inFlight(InFlightTask)
  }

  /// The outcome of a submission: of the task in flight, of one finished earlier, or of a new one. nil when the caller was
  /// cancelled.
  package func submit(_ submission: consuming TaskSubmission) async -> TaskOutcome? {
    let avs = submission.operatorSet.avs
    let entry: Entry
    do throws(Rejection) { entry = try await enter(consume submission) } catch { return .refused(error) }
    // The caller waits without the payload, which the queue has and counts.
    defer { admission.callerLeft(avs) }
    switch entry {
    case .known(let outcome): return outcome
    case .inFlight(let task): return await task.outcome()
    }
  }

  private func enter(_ submission: TaskSubmission) async throws(Rejection) -> Entry {
    try await admission.admit(
      submission, isStreamed: false,
      recall: { outcome throws(Rejection) in .known(outcome) },
      join: { task, _ throws(Rejection) in .inFlight(task) })
  }
}
