import Logging
import PonosCore
import PonosStore
import PonosTelemetry

/// Ends tasks that their aggregators take back before they have an answer.
package struct TaskCanceller: Sendable {
  private let queue: TaskQueue
  private let running: RunningTasks
  private let inFlight: InFlightTasks
  private let outbox: ResultOutbox
  private let journal: TaskJournal
  private let logger: Logger

  package init(
    queue: TaskQueue, running: RunningTasks, inFlight: InFlightTasks, outbox: ResultOutbox, journal: TaskJournal, logger: Logger
  ) {
    self.queue = queue
    self.running = running
    self.inFlight = inFlight
    self.outbox = outbox
    self.journal = journal
    self.logger = logger
  }

  /// Cancels a task of `owner` that waits, runs, or is between two runs. The task fails as cancelled, and that is written down
  /// when this returns.
  package func cancel(_ id: TaskID, for owner: TaskOwner) async -> CancellationResult {
    if let task = queue.remove(id, of: owner) { return await end(task) }
    // Looked up before the run is cancelled: the task may end at once.
    if let inFlightTask = inFlight.task(id), running.cancel(id, for: owner) {
      // The pause before its next run may just have ended and put the task into the queue, where only its turn would end it.
      if let task = queue.remove(id, of: owner) { return await end(task) }
      return await end(of: inFlightTask)
    }
    return await standing(of: id, owner)
  }

  private func end(_ task: AcceptedTask) async -> CancellationResult {
    // The task ends here, or not at all.
    running.close(task.id)
    do throws(TaskFailure) {
      try await outbox.tryToFail(task, with: .cancelled)
      return .cancelled
    } catch {
      // A cancellation that cannot be written down has not happened.
      queue.resume(.waiting(task))
      logger.warning(
        "a cancelled task could not be ended, so it is run",
        metadata: [LogKey.taskID: "\(task.id)", LogKey.avs: "\(task.avs)", LogKey.error: "\(error.message)"])
      return .tooLate
    }
  }

  /// Waits until the pipeline has ended the cancelled run, and written that down or failed to.
  private func end(of task: InFlightTask) async -> CancellationResult {
    guard case .failed(let failure)? = await task.outcome() else { return .tooLate }
    return failure.code == TaskFailure.cancelled.code ? .cancelled : .tooLate
  }

  private func standing(of id: TaskID, _ owner: TaskOwner) async -> CancellationResult {
    do throws(StoreError) {
      let record = try await journal.record(of: id)
      return record?.accepted.owner == owner ? .tooLate : .unknown
    } catch {
      // If the task exists, it goes on.
      return .tooLate
    }
  }
}
