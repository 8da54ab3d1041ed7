import Logging
import PonosCore

/// Ends tasks that their aggregators take back before a performer has begun them.
package struct TaskCanceller: Sendable {
  private let queue: TaskQueue
  private let outbox: ResultOutbox
  private let journal: TaskJournal
  private let logger: Logger

  package init(queue: TaskQueue, outbox: ResultOutbox, journal: TaskJournal, logger: Logger) {
    self.queue = queue
    self.outbox = outbox
    self.journal = journal
    self.logger = logger
  }

  /// Cancels a task of `party` that waits; its outcome is a failure that says so, written down before this returns.
  package func cancel(_ id: TaskID, for party: StreamParty) async -> CancellationResult {
    guard let task = queue.remove(id, of: party.aggregator, avs: party.avs) else { return await standing(of: id, party) }
    do throws(TaskFailure) {
      try await outbox.tryToFail(task, with: .cancelled)
      return .cancelled
    } catch {
      // What cannot be written down has not happened.
      queue.resume(.waiting(task))
      logger.warning(
        "a cancelled task could not be ended, so it is run",
        metadata: [LogKey.taskID: "\(id)", LogKey.avs: "\(party.avs)", LogKey.error: "\(error.message)"])
      return .tooLate
    }
  }

  private func standing(of id: TaskID, _ party: StreamParty) async -> CancellationResult {
    do throws(StoreError) {
      let record = try await journal.record(of: id)
      return record?.accepted.party == party ? .tooLate : .unknown
    } catch {
      // It goes on, whether it is known or not.
      return .tooLate
    }
  }
}
