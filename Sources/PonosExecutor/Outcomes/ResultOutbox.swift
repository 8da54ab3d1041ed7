import PonosCore
import PonosStore
import PonosSystem

/// Answers finished tasks: writes the outcome down, then settles the task in flight.
package struct ResultOutbox: Sendable {
  private let journal: TaskJournal
  private let inFlight: InFlightTasks
  private let metrics: ExecutorMetrics
  private let clock: TaskClock

  package init(journal: TaskJournal, inFlight: InFlightTasks, metrics: ExecutorMetrics, clock: TaskClock) {
    self.journal = journal
    self.inFlight = inFlight
    self.metrics = metrics
    self.clock = clock
  }

  /// Keeps the signed result of a task and delivers it.
  package func deliver(_ result: SignedResult, of task: AcceptedTask) async throws(TaskFailure) {
    try await journal.finish(result)
    metrics.taskAnswered(result.avs, secondsFromAcceptance: task.age(at: clock.monotonic()).seconds)
    inFlight.settle(result.id, with: .signed(result))
  }

  /// Keeps a failure and answers with it.
  package func fail(_ task: AcceptedTask, with failure: TaskFailure) async throws(TaskFailure) {
    let stored = StoredFailure(failure)
    try await journal.fail(task.id, with: stored)
    answer(task, with: stored)
  }

  /// Keeps a failure like `fail`, but tries only once.
  package func tryToFail(_ task: AcceptedTask, with failure: TaskFailure) async throws(TaskFailure) {
    let stored = StoredFailure(failure)
    try await journal.tryToFail(task.id, with: stored)
    answer(task, with: stored)
  }

  private func answer(_ task: AcceptedTask, with stored: StoredFailure) {
    metrics.taskFailed(task.avs, code: stored.code)
    inFlight.settle(task.id, with: .failed(stored))
  }
}
