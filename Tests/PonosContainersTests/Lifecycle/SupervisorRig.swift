import Logging
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
    let settings = PerformerHarness.settings
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let id = try await store.installationID()
    let networks = PerformerNetworks(docker: docker, installationID: id, joinedNetwork: nil)
    let runtime = DockerRuntime(
      docker: docker, installationID: id, networks: networks, executorEnvironment: [:], stopGrace: settings.stopGrace)
    let restorer = PerformerRestorer(
      launcher: PerformerLauncher(runtime: runtime, probes: settings.probes, connect: { [performers] in performers.connect($0) }),
      images: ImageResolver(docker: docker, pullLimit: settings.pullLimit, pullIdleLimit: settings.pullIdleLimit),
      networks: networks, store: store, statuses: statuses, observe: { [events] in events.append($0) }, logger: logger)
    performerID = record.id
    statuses.put(PerformerSnapshot(record, state: .starting))
    supervisor = PerformerSupervisor(
      record, machine: PerformerStateMachine(adopting: settings.probes, policy: settings.restarts),
      start: .adopting(containerID: containerID), mailbox: mailbox, restorer: restorer, roster: roster, statuses: statuses,
      settings: settings, observe: { [events] in events.append($0) }, logger: logger)
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
