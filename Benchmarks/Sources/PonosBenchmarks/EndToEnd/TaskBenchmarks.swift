import Foundation
import GRPCCore
import PonosAPI
import PonosCore
import PonosCrypto

/// Whole tasks: a client submits them to a daemon, which checks, journals, runs, signs and records each. The floor is a process that
/// only passes them on: same client, same transport, same messages, same performer image. Beside them a program that makes the daemon's
/// promises by other means (Benchmarks/Peer).
enum TaskBenchmarks {
  static let image = "ponos-bench/no-op:latest"

  /// - Parameter beside: Another build of the daemon, which takes part with the SQLite store.
  static func measure(rounds: Int, seconds: Double, beside: String? = nil, report: (Outcome) -> Void) async throws {
    let workspace = try Workspace()
    let parties = try TaskParties()
    let container = try NoOpContainer(image: image)
    let proxyPort = try LoopbackPort.free()
    let proxy = try ChildProcess(
      Workspace.products.appendingPathComponent("PonosBenchmarks"),
      ["echo-proxy", "--host", container.address, "--listen", "\(proxyPort)"], log: workspace.path("proxy.log"))
    var daemons = try DaemonUnderTest.Store.allCases.map { store in
      (store.rawValue, try DaemonUnderTest(store: store, image: image, parties: parties, workspace: workspace))
    }
    if let beside {
      let other = try DaemonUnderTest(
        store: .sqlite, image: image, parties: parties, workspace: workspace, executable: beside, name: "beside")
      daemons.append(("other build, sqlite", other))
    }

    let peerPort = try LoopbackPort.free()
    let peer = try Self.peer(port: peerPort, performer: container, parties: parties, workspace: workspace)

    defer {
      for (_, daemon) in daemons { daemon.process.stop() }
      do {
        try DaemonUnderTest.removeContainers()
      } catch {
        print(error)
      }
    }

    var targets = [try SubmissionTarget(port: proxyPort)]
    var lanes = [
      Lane("echo proxy over the same two hops", proxy, targets[0], SubmissionStock(parties: parties, curve: .ecdsa))
    ]
    for (name, daemon) in daemons {
      let target = try SubmissionTarget(port: daemon.port)
      targets.append(target)
      for curve in SignatureCurve.allCases {
        let stock = SubmissionStock(parties: parties, curve: curve)
        lanes.append(Lane("daemon, \(name) store, \(curve.rawValue) signatures", daemon.process, target, stock))
      }
    }
    targets.append(try SubmissionTarget(port: peerPort))
    lanes.append(
      Lane(
        "Go peer, Badger, ecdsa signatures", peer, targets[targets.count - 1], SubmissionStock(parties: parties, curve: .ecdsa)))
    try await Self.withConnections(targets.map(\.client)) {
      for lane in lanes { try await lane.target.waitUntilServing(lane.stock, lane.process) }
      for callers in [1, 64] {
        let comparison = Comparison(
          group: "tasks", title: callers == 1 ? "One task at a time" : "\(callers) tasks at a time",
          figure: callers == 1 ? .latency : .cpu, contenders: lanes.map { $0.contender(callers: callers) })
        report(try await comparison.measure(rounds: rounds, seconds: seconds))
      }
    }
  }

  private static func peer(
    port: Int, performer: NoOpContainer, parties: TaskParties, workspace: Workspace
  ) throws -> ChildProcess {
    try ChildProcess(
      Workspace.products.appendingPathComponent("task-peer"),
      [
        "-listen", "127.0.0.1:\(port)", "-performer", "\(performer.address):8080", "-store", workspace.path("peer"),
        "-key", Hex.encodePrefixed(TaskParties.ecdsaScalar), "-operator", "\(TaskParties.operatorAddress)",
        "-aggregator", "\(parties.aggregatorKey.address)",
      ], log: workspace.path("peer.log"))
  }

  /// One thing that answers submissions, with what it is to be asked.
  private struct Lane {
    let name: String
    let process: ChildProcess
    let target: SubmissionTarget
    let stock: SubmissionStock

    init(_ name: String, _ process: ChildProcess, _ target: SubmissionTarget, _ stock: SubmissionStock) {
      self.name = name
      self.process = process
      self.target = target
      self.stock = stock
    }

    /// Its processor time is that of the process alone: client and performer are the same for all.
    func contender(callers: Int) -> Contender {
      let calling = Contender.calling(name, callers: callers, cpu: process.cpu) { [target, stock] _ in
        _ = try await target.executor.submitTask(try stock.next())
      }
      return Contender(name) { seconds in
        try stock.refill()
        return try await calling.run(seconds)
      }
    }
  }

  /// Runs `body` while the clients are connected.
  static func withConnections(
    _ clients: [GRPCClient<some ClientTransport>], _ body: () async throws -> Void
  ) async throws {
    try await withThrowingTaskGroup { group in
      for client in clients {
        group.addTask { try await client.runConnections() }
      }
      try await body()
      clients.forEach { $0.beginGracefulShutdown() }
      try await group.waitForAll()
    }
  }
}
