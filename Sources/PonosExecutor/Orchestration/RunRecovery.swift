import Logging
import PonosCore
import PonosStore
import PonosSystem
import PonosTelemetry
import ServiceLifecycle

/// Decides what follows a failed run: another run after a pause, or the end of the task.
package struct RunRecovery: Sendable {
  private let policy: RetryPolicy
  private let journal: TaskJournal
  private let queue: TaskQueue
  private let outbox: ResultOutbox
  private let inFlight: InFlightTasks
  private let running: RunningTasks
  private let metrics: ExecutorMetrics
  private let clock: TaskClock
  private let logger: Logger

  package init(
    policy: RetryPolicy = RetryPolicy(), journal: TaskJournal, queue: TaskQueue, outbox: ResultOutbox,
    inFlight: InFlightTasks, running: RunningTasks, metrics: ExecutorMetrics, clock: TaskClock, logger: Logger
  ) {
    self.policy = policy
    self.journal = journal
    self.queue = queue
    self.outbox = outbox
    self.inFlight = inFlight
    self.running = running
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

  /// Ends a task that no run can save or that must not run again; if the daemon stops, leaves it to the next start. A task that
  /// its aggregator has cancelled ends as cancelled.
  package func end(_ task: AcceptedTask, with failure: TaskFailure) async {
    let failure = running.close(task.id) ? .cancelled : failure
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

  /// Notes that the journal lacks the beginning of a run. The run goes on: recovery treats a task that runs like one that waits.
  package func beginningNotWritten(of task: AcceptedTask, _ error: StoreError) {
    log(.warning, "the beginning of a run is not written down", task, .journalUnavailable(error.description))
  }

  private func runAgain(_ task: AcceptedTask, after delay: Duration, because failure: TaskFailure) async {
    log(.warning, "run failed, task will run again", task, failure)
    metrics.taskRetried(task.avs)
    queue.keepPlace(for: task)
    let run = running.open(task)
    guard await pause(run, for: delay) else {
      queue.giveUpPlace(of: task)
      if run.isCancelled { return await end(task, with: .cancelled) }
      return leaveToNextStart(task, because: .notAccepting("stopping"))
    }
    do throws(TaskFailure) { try await journal.requeue(task.id) } catch {
      // The row says `executing` for too long, which is harmless: recovery treats it like `queued`.
      log(.warning, "the task's return to the queue is not written down", task, error)
    }
    guard queue.fillReservation(with: task) else { return leaveToNextStart(task, because: .notAccepting("stopping")) }
    // A cancellation before this line did not find the task in the queue. If its next run has begun, the run sees it instead.
    if run.isCancelled, queue.remove(task.id, of: task.owner) != nil {
      await end(task, with: .cancelled)
    }
  }

  /// Pauses before the next run. Returns false when a cancellation of the task, or a stop, broke the pause off: a stop should not
  /// take as long as a pause that a performer asks for.
  private func pause(_ run: RunningTasks.Run, for delay: Duration) async -> Bool {
    do throws(TaskFailure) {
      try await run.call { () async throws(TaskFailure) in
        do { try await cancelWhenGracefulShutdown { try await clock.sleep(delay) } } catch { throw .cancelled }
      }
      return true
    } catch {
      return false
    }
  }

  /// Leaves the task to its row, and tells its callers to send it again.
  private func leaveToNextStart(_ task: AcceptedTask, because reason: Rejection) {
    running.close(task.id)
    inFlight.settle(task.id, with: .interrupted(reason))
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
