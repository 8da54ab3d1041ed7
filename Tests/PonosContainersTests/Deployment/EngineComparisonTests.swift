import Logging
import PonosCore
import PonosDocker
import PonosStore
import PonosStoreTesting
import PonosTesting
import Testing
@testable import PonosContainers

@Suite("Comparing the engine with what should be there")
struct EngineComparisonTests {
  static let avs = StoreRecords.address(1)

  private func comparison(_ docker: DockerClient, statuses: PerformerStatusTable) -> EngineComparison {
    let networks = PerformerNetworks(docker: docker, installationID: "i", joinedNetwork: nil)
    return EngineComparison(
      runtime: DockerRuntime(
        docker: docker, installationID: "i", networks: networks, executorEnvironment: [:], stopGrace: .seconds(1)),
      networks: networks, statuses: statuses, desk: PerformerDesk(),
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
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
      try await comparison(server.client(), statuses: PerformerStatusTable()).run()
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
      let comparison = comparison(server.client(), statuses: PerformerStatusTable())
      let error = await #expect(throws: DockerError.self) { try await comparison.run() }
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
      try await comparison(server.client(), statuses: statuses).run()
      #expect(Self.deletions(server) == ["/containers/old-of-running"])
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
      let comparison = comparison(server.client(), statuses: statuses)
      try await comparison.run()
      #expect(Self.deletions(server) == ["/networks/in-use", "/networks/deserted"])
      let underway = await comparison.desk.exclusively(StoreRecords.address(0)) { () -> DockerError? in
        do throws(DockerError) {
          try await comparison.run()
          return nil
        } catch { return error }
      }
      #expect(underway == .some(nil))
      #expect(Self.deletions(server) == ["/networks/in-use", "/networks/deserted", "/networks/in-use"])
    }
  }
}
