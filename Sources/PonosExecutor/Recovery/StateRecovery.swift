import Logging
import PonosAPI
import PonosCore
import SwiftProtobuf

/// Brings back, before intake opens, the tasks that an earlier process accepted and did not finish.
package struct StateRecovery: Sendable {
  private let store: any ExecutorStore
  private let journal: TaskJournal
  private let validator: TaskValidator
  private let flights: TaskFlights
  private let queue: TaskQueue
  private let logger: Logger

  package init(
    store: any ExecutorStore, journal: TaskJournal, validator: TaskValidator, flights: TaskFlights, queue: TaskQueue,
    logger: Logger
  ) {
    self.store = store
    self.journal = journal
    self.validator = validator
    self.flights = flights
    self.queue = queue
    self.logger = logger
  }

  /// Puts every unfinished task back into the queue, in the order of acceptance. Each keeps its deadline.
  package func recoverTasks() async throws(StoreError) {
    let unfinished = try await store.unfinishedTasks()
    var requeued = 0
    for record in unfinished {
      guard let task = await revalidate(record) else { continue }
      _ = flights.open(task)
      queue.enqueueAgain(journal.restore(record, as: task))
      requeued += 1
    }
    if !unfinished.isEmpty {
      logger.notice(
        "recovered unfinished tasks",
        metadata: ["unfinished": "\(unfinished.count)", "requeued": "\(requeued)"])
    }
  }

  /// nil for a task that cannot be run as things are; it stays unfinished, so that a corrected configuration still runs it.
  private func revalidate(_ record: TaskRecord) async -> ValidatedTask? {
    do {
      let message = try Eigenlayer_Hourglass_V1_TaskSubmission(serializedBytes: record.accepted.submission)
      return try await validator.revalidate(try TaskSubmission(wire: message))
    } catch {
      let reason = (error as? Rejection)?.message ?? "its stored submission cannot be read: \(error)"
      logger.error(
        "an accepted task cannot be run now; it is kept",
        metadata: [LogKey.taskID: "\(record.id)", LogKey.error: "\(reason)"])
      return nil
    }
  }
}
