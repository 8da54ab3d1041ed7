import PonosCore
import PonosDocker
import PonosStore
import PonosStoreTesting
import PonosTesting
import Testing
@testable import PonosContainers

@Suite("Comparing the engine with what should be there")
struct EngineReconcilerTests {
  static let avs = StoreRecords.address(1)

  private func reconciler(
    _ docker: DockerClient, statuses: PerformerStatusTable = PerformerStatusTable(),
    supervisors: SupervisorRegistry = SupervisorRegistry()
  ) -> EngineReconciler {
    let store = MemoryStore()
    let parts = Supervision.parts(docker: docker, installationID: "i", store: store, statuses: statuses, supervisors: supervisors)
    return EngineReconciler(
      supervision: parts.supervision, networks: parts.networks, store: store, resources: HostResources(),
      deployments: DeploymentCoordinator(), logger: parts.supervision.logger)
  }

  private static func container(_ id: String, of performer: String) -> String {
    #"{"Id":"\#(id)","State":"running","Labels":{"dev.ponos.performer":"\#(performer)","dev.ponos.generation":"1"}}"#
  }

  private static func network(_ id: String, avs: EthereumAddress?) -> String {
    let labels = avs.map { #"{"dev.ponos.avs":"\#($0)"}"# } ?? "{}"
    return #"{"Id":"\#(id)","Name":"\#(id)","Labels":\#(labels)}"#
  }

  /// Paths that were deleted, in order.
  private static func deletions(_ server: ScriptedSocketServer) -> [String] {
    server.requests.filter { $0.method == "DELETE" }.map(\.path)
  }

  @Test("goes on after a container that cannot be removed")
  func goesOnAfterContainerThatCannotBeRemoved() async throws {
    try await ScriptedSocketServer.run { request in
      switch (request.method, request.path) {
      case (_, "/version"): .version()
      case (_, "/containers/json"): .reply(200, "[\(Self.container("stuck", of: "x")),\(Self.container("loose", of: "y"))]")
      case (_, "/networks"): .reply(200, "[]")
      case ("DELETE", "/containers/stuck"): .reply(500, #"{"message":"driver failed to remove root filesystem"}"#)
      default: .reply(204, "")
      }
    } _: { server in
      try await reconciler(server.client()).compare()
      #expect(Self.deletions(server) == ["/containers/stuck", "/containers/loose"])
    }
  }

  @Test("gives up at once when the engine is gone")
  func givesUpAtOnceWhenEngineIsGone() async throws {
    try await ScriptedSocketServer.run { request in
      switch request.path {
      case "/version": .version()
      case "/containers/json": .reply(200, "[\(Self.container("a", of: "x")),\(Self.container("b", of: "y"))]")
      default: []  // The connection breaks.
      }
    } _: { server in
      let reconciler = reconciler(server.client())
      let error = await #expect(throws: DockerError.self) { try await reconciler.compare() }
      #expect(error?.isEngineDown == true)
      #expect(Self.deletions(server) == ["/containers/a"])
    }
  }

  @Test("leaves a running performer its container, and removes others of the same performer")
  func leavesRunningPerformerItsContainer() async throws {
    let statuses = PerformerStatusTable()
    for (id, state) in [("running", PerformerState.running), ("replacing", .restarting)] {
      var record = StoreRecords.performer(1, createdAt: 1)
      (record.id, record.containerID) = (id, "current-of-\(id)")
      statuses.put(PerformerSnapshot(record, state: state))
    }
    let containers = ["running", "replacing"].flatMap { id in
      ["current", "old"].map { Self.container("\($0)-of-\(id)", of: id) }
    }
    try await ScriptedSocketServer.run { request in
      switch request.path {
      case "/version": .version()
      case "/containers/json": .reply(200, "[\(containers.joined(separator: ","))]")
      case "/networks": .reply(200, "[]")
      default: .reply(204, "")
      }
    } _: { server in
      try await reconciler(server.client(), statuses: statuses).compare()
      #expect(Self.deletions(server) == ["/containers/old-of-running"])
    }
  }

  @Test("tells the supervisor of a performer whose container has ended, or is gone, and no other")
  func tellsSupervisorOfPerformerWhoseContainerHasEnded() async throws {
    let (statuses, supervisors) = (PerformerStatusTable(), SupervisorRegistry())
    var mailboxes: [String: PerformerMailbox] = [:]
    for (id, state) in [("serving", PerformerState.running), ("ended", .running), ("gone", .running), ("replacing", .restarting)]
    {
      var record = StoreRecords.performer(1, createdAt: 1)
      (record.id, record.containerID) = (id, "of-\(id)")
      statuses.put(PerformerSnapshot(record, state: state))
      let mailbox = PerformerMailbox()
      supervisors.start(id, of: record.spec.avs, mailbox) {}
      mailboxes[id] = mailbox
    }
    let containers = [
      Self.container("of-serving", of: "serving"),
      Self.container("of-ended", of: "ended").replacing(#""State":"running""#, with: #""State":"exited""#),
    ]
    try await ScriptedSocketServer.run { request in
      switch request.path {
      case "/version": .version()
      case "/containers/json": .reply(200, "[\(containers.joined(separator: ","))]")
      case "/networks": .reply(200, "[]")
      default: .reply(204, "")
      }
    } _: { server in
      try await reconciler(server.client(), statuses: statuses, supervisors: supervisors).compare()
      #expect(Self.deletions(server).isEmpty, "an ended container stays until its last words are read")
    }
    for (id, mailbox) in mailboxes {
      mailbox.post(.probed(.serving))
      let isLost = id == "ended" || id == "gone"
      #expect(
        await mailbox.next() == (isLost ? .ended(containerID: "of-\(id)", reason: "does not run any more") : .probed(.serving)))
    }
  }

  @Test("removes networks of AVSs without a performer, and not those of others, of a deployment under way, or without an AVS")
  func removesNetworksOfAVSsWithoutPerformer() async throws {
    let statuses = PerformerStatusTable()
    statuses.put(PerformerSnapshot(StoreRecords.performer(1, createdAt: 1), state: .failed))
    let networks = [
      Self.network("wanted", avs: StoreRecords.address(1)), Self.network("in-use", avs: StoreRecords.address(2)),
      Self.network("deserted", avs: StoreRecords.address(0)), Self.network("joined", avs: nil),
    ]
    try await ScriptedSocketServer.run { request in
      switch request.path {
      case "/version": .version()
      case "/containers/json": .reply(200, "[]")
      case "/networks": .reply(200, "[\(networks.joined(separator: ","))]")
      case "/networks/in-use": .reply(403, #"{"message":"network has active endpoints"}"#)
      default: .reply(204, "")
      }
    } _: { server in
      let reconciler = reconciler(server.client(), statuses: statuses)
      try await reconciler.compare()
      #expect(Self.deletions(server) == ["/networks/in-use", "/networks/deserted"])
      let underway = await reconciler.deployments.exclusively(StoreRecords.address(0)) { () -> DockerError? in
        do throws(DockerError) {
          try await reconciler.compare()
          return nil
        } catch { return error }
      }
      #expect(underway == .some(nil))
      #expect(Self.deletions(server) == ["/networks/in-use", "/networks/deserted", "/networks/in-use"])
    }
  }
}
