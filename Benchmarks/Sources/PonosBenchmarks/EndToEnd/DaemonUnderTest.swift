import Foundation
import GRPCCore
import PonosAPI
import PonosContainers
import PonosCore
import PonosCrypto
import PonosTransport

/// A daemon of the same build, with a store of its own, one AVS with an operator set for each curve, and one no-op performer.
struct DaemonUnderTest {
  enum Store: String, CaseIterable {
    case sqlite, memory

    /// The database of a daemon with this store.
    func path(in workspace: Workspace, of name: String? = nil) -> String { workspace.path("\(name ?? rawValue).sqlite") }
  }

  let process: ChildProcess
  let port: Int
  /// When its process was started.
  private let started: Double

  /// Starts it. It is ready some time later.
  ///
  /// - Parameters:
  ///   - executable: The daemon's program; nil for this build's.
  ///   - name: Of its files; nil for the store's.
  init(
    store: Store, image: String, parties: TaskParties, workspace: Workspace, executable: String? = nil, name: String? = nil
  ) throws {
    let name = name ?? store.rawValue
    port = try LoopbackPort.free()
    let keystore = try KeystoreWriter.eip2335(.bn254(parties.bn254Key), password: SecretBytes(text: ""), cost: .light)
    // In one piece: another daemon may be reading the one before.
    try Data(keystore).write(to: workspace.url.appendingPathComponent("bn254.json"), options: .atomic)
    let configuration = workspace.path("\(name).yaml")
    try Self.configuration(store: store, name: name, image: image, port: port, parties: parties, workspace: workspace)
      .write(toFile: configuration, atomically: true, encoding: .utf8)
    started = Clock.now
    process = try ChildProcess(
      executable.map { URL(fileURLWithPath: $0) } ?? Workspace.products.appendingPathComponent("ponos-executor"),
      ["run", "--config", configuration], log: workspace.path("\(name).log"))
  }

  /// Returns when its port takes connections; gives up after a minute, or when it has ended.
  func waitUntilListening() async throws {
    let limit = started + 60
    while try !LoopbackPort.isOpen(port) {
      guard process.isRunning, Clock.now < limit else {
        throw SystemFailure("connect to the daemon", reason: process.tail())
      }
      try await Task.sleep(for: .milliseconds(1))
    }
  }

  /// Its time and processor time so far, as one operation.
  func round() throws -> Round {
    Round(operations: 1, wall: Clock.now - started, cpu: try process.cpu())
  }

  /// Removes what daemons leave for their successors to adopt: the performers' containers and their networks. Call it when all are stopped.
  static func removeContainers() throws {
    let ours = "label=\(ContainerLabels.avs)=\(TaskParties.avs)"
    for id in try ChildProcess.output("docker", "ps", "--all", "--quiet", "--filter", ours).split(separator: "\n") {
      try ChildProcess.output("docker", "rm", "--force", String(id))
    }
    for id in try ChildProcess.output("docker", "network", "ls", "--quiet", "--filter", ours).split(separator: "\n") {
      try ChildProcess.output("docker", "network", "rm", String(id))
    }
  }

  private static func configuration(
    store: Store, name: String, image: String, port: Int, parties: TaskParties, workspace: Workspace
  ) -> String {
    let image = image.split(separator: ":")
    return """
      grpcPort: \(port)
      listenAddress: 127.0.0.1
      operations: {port: 0}
      operator:
        address: "\(TaskParties.operatorAddress)"
        operatorPrivateKey: {privateKey: "\(Hex.encodePrefixed(TaskParties.ecdsaScalar))"}
        signingKeys:
          ecdsa: {privateKey: "\(Hex.encodePrefixed(TaskParties.ecdsaScalar))"}
          bls: {keystoreFile: "\(workspace.path("bn254.json"))", password: ""}
      l1Chain: {chainId: 31337}
      storage: {type: \(store.rawValue), path: "\(store.path(in: workspace, of: name))"}
      queue: {maxPerAvs: \(2 * KilledDatabase.tasks), maxTotal: \(2 * KilledDatabase.tasks)}
      avsPerformers:
        - avsAddress: "\(TaskParties.avs)"
          processType: server
          image: {repository: "\(image[0])", tag: "\(image[1])", pullPolicy: Never}
          concurrency: 64
          registry:
            executorOperatorSets:
              - {id: \(TaskParties.operatorSetID(.ecdsa)), curve: ecdsa}
              - {id: \(TaskParties.operatorSetID(.bn254)), curve: bn254}
            aggregators:
              - {address: "\(TaskParties.aggregatorAddress)", curve: ecdsa, signingAddress: "\(parties.aggregatorKey.address)"}

      """
  }
}

/// A client of something that takes submissions.
struct SubmissionTarget: Sendable {
  let client: GRPCClient<ClientTransportInUse>
  let executor: Eigenlayer_Hourglass_V1_ExecutorService.Client<ClientTransportInUse>

  init(port: Int) throws {
    client = GRPCClient(transport: try Transports.client(ClientTransportSettings(host: "127.0.0.1", port: port)))
    executor = Eigenlayer_Hourglass_V1_ExecutorService.Client(wrapping: client)
  }

  /// Submits tasks until one is answered; gives up after a minute, or when `process` has ended.
  func waitUntilServing(
    _ stock: SubmissionStock, _ process: ChildProcess, every pause: Duration = .milliseconds(200),
    urgency: TaskUrgency = TaskUrgency()
  ) async throws {
    let limit = Clock.now + 60
    while true {
      do {
        _ = try await executor.submitTask(try stock.next(), metadata: urgency.metadata)
        return
      } catch {
        guard process.isRunning, Clock.now < limit else {
          throw SystemFailure("have a task answered", reason: "\(error)\n\(process.tail())")
        }
        try await Task.sleep(for: pause)
      }
    }
  }
}
