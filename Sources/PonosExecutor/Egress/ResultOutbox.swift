import PonosCore

/// Answers finished tasks: writes the outcome down, then tells everybody who waits for it.
package struct ResultOutbox: Sendable {
  private let journal: TaskJournal
  private let flights: TaskFlights
  private let metrics: ExecutorMetrics
  private let clock: TaskClock

  package init(journal: TaskJournal, flights: TaskFlights, metrics: ExecutorMetrics, clock: TaskClock) {
    self.journal = journal
    self.flights = flights
    self.metrics = metrics
    self.clock = clock
  }

  /// Keeps a signed result and delivers it. A journal that cannot be written is tried again until it can, or the daemon stops:
  /// what has left our hands must be what every later retry gets.
  package func deliver(_ result: SignedResult) async throws(TaskFailure) {
    var delay = Duration.milliseconds(100)
    while true {
      do throws(TaskFailure) {
        try await journal.finish(result)
        break
      } catch {
        do { try await Task.sleep(for: delay) } catch { throw .journalUnavailable("the executor is stopping") }
        delay = min(delay * 2, .seconds(5))
      }
    }
    metrics.taskAnswered(result.avs, secondsFromAcceptance: Double(clock.unix() - result.acceptedAt) / 1000)
    flights.settle(result.id, with: .signed(result))
  }

  /// Keeps a failure and answers with it.
  package func fail(_ task: AcceptedTask, with failure: TaskFailure) async throws(TaskFailure) {
    let stored = StoredFailure(failure)
    try await journal.fail(task.id, with: stored)
    metrics.taskFailed(task.avs, code: stored.code)
    flights.settle(task.id, with: .failed(stored))
  }
}
