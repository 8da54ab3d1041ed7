import PonosContainersTesting
import PonosCore
import PonosDocker
import PonosTesting
@testable import PonosContainers
@testable import PonosStore

/// One performer's supervisor alone, on the real engine, with what it writes to.
struct SupervisorRig: Sendable {
  let roster = PerformerRoster { _ in }
  let statuses = PerformerStatusTable()
  let mailbox = PerformerMailbox()
  let performers = FakePerformers()
  let events = Collected<PerformerEvent>()
  private let performerID: String
  private let supervisor: PerformerSupervisor

  /// The supervisor of a performer whose container `containerID` an earlier daemon left.
  init(_ record: PerformerRecord, adopting containerID: String, store: any ExecutorStore, docker: DockerClient) async throws {
    let parts = Supervision.parts(
      docker: docker, installationID: try await store.installationID(), store: store, roster: roster, statuses: statuses,
      performers: performers, observe: { [events] in events.append($0) })
    performerID = record.id
    statuses.put(PerformerSnapshot(record, state: .starting))
    supervisor = PerformerSupervisor(record, .adopting(containerID: containerID), mailbox: mailbox, parts.supervision)
  }

  /// Runs the supervisor while `body` runs.
  func run(_ body: @Sendable () async throws -> Void) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        var supervisor = supervisor
        await supervisor.run()
      }
      defer { group.cancelAll() }
      try await body()
    }
  }

  var snapshot: PerformerSnapshot? { statuses.entry(performerID) }
}
