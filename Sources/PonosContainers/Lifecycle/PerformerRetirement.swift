import Logging
import PonosCore
import PonosStore

/// Takes a performer out of service for good: no new tasks, time for those it has, and then nothing of it is left.
struct PerformerRetirement: Sendable {
  let restorer: PerformerRestorer
  let roster: PerformerRoster
  let statuses: PerformerStatusTable
  let drainLimit: Duration
  let logger: Logger

  /// Returns when the performer's containers are gone, or as gone as the engine lets them be now.
  ///
  /// - Parameter connection: The line to the container that serves, if one does; it is closed.
  func run(_ record: PerformerRecord, _ connection: (any PerformerConnection)?) async -> Result<Void, RemovalError> {
    roster.retire(performerID: record.id)
    let outcome = await restorer.forget(record.id)
    await drain(record.id)
    await connection?.close()
    let isLast = !statuses.all.contains { $0.avs == record.spec.avs && $0.performerID != record.id }
    await restorer.removeContainers(of: record, withNetwork: isLast)
    return outcome
  }

  /// Waits for the tasks the performer holds, within the limit.
  private func drain(_ performerID: String) async {
    let isDrained = await withTaskGroup(of: Bool.self) { group in
      group.addTask {
        await roster.drained(performerID: performerID)
        return !Task.isCancelled
      }
      group.addTask {
        try? await Task.sleep(for: drainLimit)
        return false
      }
      defer { group.cancelAll() }
      return await group.next() ?? true
    }
    if !isDrained { logger.warning("tasks of the performer are cut off", metadata: ["drainLimit": "\(drainLimit)"]) }
  }
}
