import Logging
import PonosCore
import ServiceLifecycle

/// What follows a failed run: another one after a pause, or the end of the task.
package struct RunRecovery: Sendable {
  private let policy: RetryPolicy
  private let journal: TaskJournal
  private let queue: TaskQueue
  private let outbox: ResultOutbox
  private let flights: TaskFlights
  private let metrics: ExecutorMetrics
  private let clock: TaskClock
  private let logger: Logger

  package init(
    policy: RetryPolicy = RetryPolicy(), journal: TaskJournal, queue: TaskQueue, outbox: ResultOutbox,
    flights: TaskFlights, metrics: ExecutorMetrics, clock: TaskClock, logger: Logger
  ) {
    self.policy = policy
    self.journal = journal
    self.queue = queue
    self.outbox = outbox
    self.flights = flights
    self.metrics = metrics
    self.clock = clock
    self.logger = logger
  }

  package func recover(_ task: AcceptedTask, from failure: TaskFailure) async {
    let remaining = Duration.milliseconds(task.deadline - clock.monotonic())
    if !Task.isCancelled, let delay = policy.delay(after: failure, attempt: task.attempt, remaining: remaining) {
      await runAgain(task, after: delay, because: failure)
    } else {
      await end(task, with: failure)
    }
  }

  /// Ends a task that no run can save, or that must not run again; unless the daemon stops, then the next start takes it up.
  package func end(_ task: AcceptedTask, with failure: TaskFailure) async {
    if Task.isCancelled { return leaveToNextStart(task, because: .notAccepting("stopping")) }
    if case .journalUnavailable(let problem) = failure {
      return leaveToNextStart(task, because: .outcomeNotWritten(problem))
    }
    do throws(TaskFailure) {
      try await outbox.fail(task, with: failure)
      log(.warning, "task failed", task, failure)
    } catch {
      log(.error, "the task's failure cannot be written down; its row keeps the task", task, error)
      leaveToNextStart(task, because: .outcomeNotWritten(error.message))
    }
  }

  /// The beginning of a run is not in the journal; the run goes on. Recovery treats tasks that run and tasks that wait alike.
  package func beginningNotWritten(of task: AcceptedTask, _ error: StoreError) {
    log(.warning, "the beginning of a run is not written down", task, .journalUnavailable(error.description))
  }

  private func runAgain(_ task: AcceptedTask, after delay: Duration, because failure: TaskFailure) async {
    log(.warning, "run failed, task will run again", task, failure)
    metrics.taskRetried(task.avs)
    queue.keepPlace(for: task)
    // A performer may ask for a pause that is longer than a stop should take.
    do { try await cancelWhenGracefulShutdown { try await clock.sleep(delay) } } catch {
      queue.giveUpPlace(of: task)
      return leaveToNextStart(task, because: .notAccepting("stopping"))
    }
    do throws(TaskFailure) { try await journal.requeue(task.id) } catch {
      // The row says `executing` for longer than it is true; recovery treats both alike.
      log(.warning, "the task's return to the queue is not written down", task, error)
    }
    if !queue.fillReservation(with: task) { leaveToNextStart(task, because: .notAccepting("stopping")) }
  }

  /// Its row keeps the task; whoever waits is told to send it again.
  private func leaveToNextStart(_ task: AcceptedTask, because reason: Rejection) {
    flights.settle(task.id, with: .interrupted(reason))
  }

  private func log(_ level: Logger.Level, _ message: Logger.Message, _ task: AcceptedTask, _ failure: TaskFailure) {
    logger.log(
      level: level, message,
      metadata: [
        LogKey.taskID: "\(task.id)", LogKey.avs: "\(task.avs)", LogKey.attempt: "\(task.attempt)",
        LogKey.code: "\(failure.code)", LogKey.error: "\(failure.message)",
      ])
  }
}
