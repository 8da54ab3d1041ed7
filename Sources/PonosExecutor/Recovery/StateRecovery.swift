import Logging
import PonosAPI
import PonosCore
import SwiftProtobuf

/// Brings back, before intake opens, the tasks that an earlier process accepted and did not finish.
package struct StateRecovery: Sendable {
  /// Failures written at a time: enough to share commits, few enough for the store's queue.
  private static let failuresAtATime = 256

  private let store: any ExecutorStore
  private let journal: TaskJournal
  private let validator: TaskValidator
  private let flights: TaskFlights
  private let queue: TaskQueue
  private let clock: TaskClock
  private let logger: Logger

  package init(
    store: any ExecutorStore, journal: TaskJournal, validator: TaskValidator, flights: TaskFlights, queue: TaskQueue,
    clock: TaskClock, logger: Logger
  ) {
    self.store = store
    self.journal = journal
    self.validator = validator
    self.flights = flights
    self.queue = queue
    self.clock = clock
    self.logger = logger
  }

  /// Puts every unfinished task back to where it was, in the order of acceptance. Each keeps its deadline; those whose time ended
  /// meanwhile fail, unless they lack nothing but their signature.
  package func recoverTasks() async throws(StoreError) {
    let unfinished = try await store.unfinishedTasks()
    guard !unfinished.isEmpty else { return }
    var (expired, resumed) = ([TaskID](), 0)
    let (now, offset) = (clock.unix(), journal.clockOffset)
    for record in unfinished {
      if record.phase != .collected, record.accepted.deadline <= now {
        expired.append(record.id)
      } else if let task = await revalidate(record) {
        _ = flights.open(task)
        queue.resume(journal.restore(record, as: task, offset: offset))
        resumed += 1
      }
    }
    await fail(expired)
    logger.notice(
      "recovered unfinished tasks",
      metadata: ["unfinished": "\(unfinished.count)", "resumed": "\(resumed)", "expired": "\(expired.count)"])
  }

  private func fail(_ expired: [TaskID]) async {
    for start in stride(from: 0, to: expired.count, by: Self.failuresAtATime) {
      await withDiscardingTaskGroup { group in
        for id in expired[start..<min(start + Self.failuresAtATime, expired.count)] { group.addTask { await fail(id) } }
      }
    }
  }

  private func fail(_ id: TaskID) async {
    do throws(TaskFailure) { try await journal.fail(id, with: StoredFailure(.expiredWhileDown)) } catch {
      logger.error(
        "the end of a task whose time is over cannot be written down; it is tried again at the next start",
        metadata: [LogKey.taskID: "\(id)", LogKey.error: "\(error.message)"])
    }
  }

  /// nil for a task that cannot be run as things are; it stays unfinished, so that a corrected configuration still runs it.
  private func revalidate(_ record: TaskRecord) async -> ValidatedTask? {
    do {
      let message = try Eigenlayer_Hourglass_V1_TaskSubmission(serializedBytes: record.accepted.submission)
      let task = try await validator.revalidate(try TaskSubmission(wire: message))
      if task.contentHash == record.accepted.contentHash { return task }
      logger.error(
        "an accepted task is damaged in the database and cannot be run; it is kept, restore a backup",
        metadata: [LogKey.taskID: "\(record.id)"])
      return nil
    } catch {
      let reason = (error as? Rejection)?.message ?? "its stored submission cannot be read: \(error)"
      logger.error(
        "an accepted task cannot be run now; it is kept",
        metadata: [LogKey.taskID: "\(record.id)", LogKey.error: "\(reason)"])
      return nil
    }
  }
}
