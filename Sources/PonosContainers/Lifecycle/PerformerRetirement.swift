import Logging
import PonosCore
import PonosDocker
import PonosStore
import PonosSystem
import PonosTelemetry

/// Forgets performers and removes what is left of them; nothing else does.
struct PerformerRetirement: Sendable {
  let runtime: DockerRuntime
  let networks: PerformerNetworks
  let store: any PerformerStore
  let roster: PerformerRoster
  let statuses: PerformerStatusTable
  let resources: HostResources
  /// Time a performer gets to finish its tasks.
  let drainLimit: Duration
  let logger: Logger

  /// Takes a performer out of service for good: no new tasks, time for those it has, and then nothing of it is left. Returns when
  /// its containers are removed, as far as the engine removes them now.
  ///
  /// - Parameter connection: The connection to the container that serves, if one does; it is closed.
  func retire(_ record: PerformerRecord, _ connection: (any PerformerConnection)?) async -> Result<Void, RemovalError> {
    roster.retire(performerID: record.id)
    let outcome: Result<Void, RemovalError>
    do throws(StoreError) {
      try await forget(record.id)
      outcome = .success(())
    } catch {
      outcome = .failure(.notRecorded(record.id, error))
    }
    await drain(record)
    await connection?.close()
    let isLast = !statuses.all.contains { $0.avs == record.spec.avs && $0.performerID != record.id }
    await removeContainers(of: record, withNetwork: isLast)
    return outcome
  }

  /// Takes away a performer that serves and did not come into service. A record that cannot be deleted is one of a staged
  /// performer, which the next start deletes.
  func abandon(_ record: PerformerRecord, _ connection: any PerformerConnection) async {
    await connection.close()
    do throws(StoreError) { try await forget(record.id) } catch {
      logger.warning("the record of a deployment stays for now", metadata: metadata(record, error))
    }
    await removeContainers(of: record, withNetwork: false)
  }

  /// Deletes the record of a performer: it is not created again.
  func forget(_ performerID: String) async throws(StoreError) {
    try await store.deletePerformer(id: performerID)
  }

  /// Ends that a performer is shown and that the host's resources are kept for it.
  func dismiss(_ performerID: String) {
    statuses.remove(performerID)
    resources.release(performerID)
  }

  /// Waits for the tasks the performer holds, within the limit.
  private func drain(_ record: PerformerRecord) async {
    let isDrained = await withDeadline(drainLimit) {
      await roster.drained(performerID: record.id)
      return !Task.isCancelled
    }
    if isDrained != true {
      logger.warning(
        "tasks of the performer are cut off",
        metadata: [
          LogKey.performerID: "\(record.id)", LogKey.avs: "\(record.spec.avs)", LogKey.limit: "\(drainLimit / .seconds(1))",
        ])
    }
  }

  /// What the engine does not remove now is removed at a later comparison, since no performer claims it.
  private func removeContainers(of record: PerformerRecord, withNetwork: Bool) async {
    do throws(DockerError) {
      try await runtime.removeAll(of: record.id, isGraceful: true)
      if withNetwork { try await networks.remove(for: record.spec.avs) }
    } catch {
      logger.warning("containers of a removed performer stay for now", metadata: metadata(record, error))
    }
  }

  private func metadata(_ record: PerformerRecord, _ error: any Error) -> Logger.Metadata {
    [LogKey.performerID: "\(record.id)", LogKey.avs: "\(record.spec.avs)", LogKey.error: "\(error)"]
  }
}

extension RemovalError {
  fileprivate static func notRecorded(_ performerID: String, _ error: StoreError) -> RemovalError {
    RemovalError(
      .storeFailed,
      "\(performerID) is out of service but would come back with the next start: \(error). Remove it again after that.")
  }
}
