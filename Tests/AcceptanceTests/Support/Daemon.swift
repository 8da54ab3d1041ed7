import Foundation
import GRPCCore
import PonosAPI
import PonosAggregator
import PonosCore
import PonosCrypto
import PonosExecutorTesting
import PonosTesting
import PonosTransport
import Synchronization
import Testing

/// The built `ponos-executor` as a child process, in a directory and on ports of its own.
final class Daemon: Sendable {
  let configuration: DaemonConfiguration
  let place: DaemonPlace
  private let process = Mutex<ChildProcess?>(nil)

  /// Prepares a daemon without starting it.
  init(_ configuration: DaemonConfiguration) throws {
    self.configuration = configuration
    let ports = try FreePorts.find(3)
    place = DaemonPlace(
      directory: FileManager.default.temporaryDirectory.appending(path: "ponos-acceptance-\(UUID())"),
      taskPort: ports[0], managementPort: configuration.sharesPort ? ports[0] : ports[1], operationsPort: ports[2])
    try FileManager.default.createDirectory(at: place.directory, withIntermediateDirectories: true)
    try configuration.write(to: place)
  }

  /// Runs `body` with a daemon that is ready, and removes all that is left of it afterwards.
  static func running<Result>(
    _ configuration: DaemonConfiguration, _ body: (Daemon) async throws -> Result
  ) async throws -> Result {
    let daemon = try Daemon(configuration)
    do {
      try await daemon.start()
      let result = try await body(daemon)
      try await daemon.remove()
      return result
    } catch {
      Issue.record("\(error)\nthe daemon's log ends with:\n\(daemon.logTail)")
      try await daemon.remove()
      throw error
    }
  }

  /// Starts the process and waits until it is ready.
  func start() async throws {
    try launch()
    try await becomeReady()
  }

  /// Starts the process and returns at once.
  ///
  /// - Parameter failpoint: Where it is to end itself: a value of `PONOS_FAILPOINT`.
  func launch(failpoint: String? = nil) throws {
    var environment = configuration.environment
    environment["PONOS_FAILPOINT"] = failpoint
    for name in ["PATH", "HOME", "DOCKER_HOST", "LD_LIBRARY_PATH"] {
      environment[name] = ProcessInfo.processInfo.environment[name]
    }
    let arguments = [try Self.executable().path, "run", "--config", place.configurationFile.path]
    let child =
      if let limits = configuration.limits {
        try ChildProcess(
          URL(filePath: "/bin/bash"), ["-c", "\(limits); exec \"$@\"", "bash"] + arguments, environment: environment,
          log: place.log)
      } else {
        try ChildProcess(
          URL(filePath: arguments[0]), Array(arguments.dropFirst()), environment: environment, log: place.log)
      }
    process.withLock { $0 = child }
  }

  /// Waits until `/readyz` says so, or the first AVS is served where it never will; throws as soon as the process has ended.
  func becomeReady(within limit: Duration = .seconds(60)) async throws {
    try await wait(until: "the daemon to be ready", within: limit) {
      if let status = child?.exitStatus {
        throw DidNotHappen(description: "the daemon ended with status \(status) before it was ready:\n\(logTail)")
      }
      return configuration.isNeverReady ? try await serves(avs) : await operations.isReady()
    }
  }

  /// Whether the performer of an AVS is in service and healthy.
  func serves(_ avs: EthereumAddress) async throws -> Bool {
    guard let state = try? await operations.state() else { return false }
    return state.performers.contains { $0.avs == avs.description && $0.state == "InService" && $0.isHealthy }
  }

  /// The process last started.
  var child: ChildProcess? { process.withLock { $0 } }

  /// Ends the process as a crash would.
  func crash() async throws {
    child?.signal(SIGKILL)
    _ = try await child?.ended(within: .seconds(10))
  }

  /// Asks the process to end, and returns its exit status.
  func stop(within limit: Duration = .seconds(45)) async throws -> Int32? {
    child?.signal(SIGTERM)
    return try await child?.ended(within: limit)
  }

  /// Everything printed since the first start.
  var log: String { (try? String(contentsOf: place.log, encoding: .utf8)) ?? "" }

  /// The last lines of the log.
  var logTail: String { log.split(separator: "\n").suffix(25).joined(separator: "\n") }

  var operations: OperationsClient { OperationsClient(port: place.operationsPort) }

  /// Its containers in Docker.
  var containers: PerformerContainers { PerformerContainers(avs: configuration.avs.map(\.address)) }

  /// Ends the process and removes its containers, networks and files.
  func remove() async throws {
    await child?.end()
    try await containers.removeAll()
    if ProcessInfo.processInfo.environment["KEEP_DAEMON_FILES"] == nil {
      try? FileManager.default.removeItem(at: place.directory)
    }
  }

  /// The daemon lies beside the test bundle, where `swift build` puts both.
  static func executable() throws -> URL {
    let bundle = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    let executable = bundle.deletingLastPathComponent().appending(path: "ponos-executor")
    guard FileManager.default.isExecutableFile(atPath: executable.path) else {
      throw DidNotHappen(description: "\(executable.path) is missing; build it first (make build)")
    }
    return executable
  }
}

// MARK: - Tasks

extension Daemon {
  /// The AVS whose configuration comes first; most tests have no other.
  var avs: EthereumAddress { configuration.avs[0].address }

  /// A task for the first AVS.
  func draft(_ payload: String, avs: EthereumAddress? = nil, set curve: SignatureCurve = .ecdsa) -> SubmissionDraft {
    SubmissionDraft(
      avs: avs ?? self.avs, executor: DaemonConfiguration.operatorAddress, operatorSetID: DaemonConfiguration.set(curve),
      payload: payload)
  }

  /// The same, signed by the registered ECDSA aggregator.
  func submission(
    _ payload: String, avs: EthereumAddress? = nil, set curve: SignatureCurve = .ecdsa,
    by aggregator: TestAggregator = .registered(.ecdsa)
  ) throws -> WireSubmission {
    try aggregator.sign(draft(payload, avs: avs, set: curve))
  }

  /// Submits once, on a connection of its own.
  func submit(
    _ submission: WireSubmission, metadata: Metadata = [:], options: CallOptions = .within(.seconds(60))
  ) async throws -> WireResult {
    try await withClient(port: place.taskPort) { client in
      try await Eigenlayer_Hourglass_V1_ExecutorService.Client(wrapping: client)
        .submitTask(submission, metadata: metadata, options: options)
    }
  }

  /// Submits, checks both signatures of the answer, and returns its output as text.
  func answer(to submission: WireSubmission, metadata: Metadata = [:]) async throws -> String {
    let result = try await submit(submission, metadata: metadata)
    try check(result, for: submission)
    return String(decoding: result.output, as: UTF8.self)
  }

  /// Submits a task with `payload` and returns the output of its verified answer.
  func answer(to payload: String, avs: EthereumAddress? = nil) async throws -> String {
    try await answer(to: try submission(payload, avs: avs))
  }

  /// Throws unless the answer is worth something to an aggregator.
  func check(_ result: WireResult, for submission: WireSubmission) throws {
    let curve: SignatureCurve = submission.operatorSetID == DaemonConfiguration.set(.ecdsa) ? .ecdsa : .bn254
    try ResultVerifier(
      operatorAddress: DaemonConfiguration.operatorAddress,
      registered: RegisteredKey(
        TestKeys.executor(curve).verificationKey, contract: try #require(CertificateVerifiers.ecdsaAddress(chainID: 31337)))
    ).check(result, for: submission)
  }

  /// Submits and returns how the call failed; records an issue when it did not.
  func refusal(
    of submission: WireSubmission, metadata: Metadata = [:], options: CallOptions = .within(.seconds(60)),
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws -> RPCError {
    try await failure(sourceLocation: sourceLocation) { try await submit(submission, metadata: metadata, options: options) }
  }

  /// Tasks the first AVS's performer was given since its container started, this question not counted.
  func executions(avs: EthereumAddress? = nil) async throws -> Int {
    let text = try await answer(to: "count", avs: avs)
    return try #require(Int(text)) - 1
  }

  /// Runs `body` with a client of a port.
  func withClient<Result: Sendable>(
    port: Int, _ body: (GRPCClient<ClientTransportInUse>) async throws -> Result
  ) async throws -> Result {
    let transport = try Transports.client(ClientTransportSettings(host: "127.0.0.1", port: port))
    return try await withGRPCClient(transport: transport) { try await body($0) }
  }
}

/// The gRPC error that `body` throws; records an issue and throws when it throws none.
func failure(
  sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> some Sendable
) async throws -> RPCError {
  let answer: Any
  do { answer = try await body() } catch let error as RPCError { return error }
  Issue.record("the call should have failed; it returned \(answer)", sourceLocation: sourceLocation)
  throw DidNotHappen(description: "the call should have failed")
}

extension CallOptions {
  /// With a deadline, and without waiting for a server that is not there.
  static func within(_ timeout: Duration) -> CallOptions {
    var options = CallOptions.defaults
    options.timeout = timeout
    options.waitForReady = false
    return options
  }
}

extension RPCError {
  /// The stable code of the refusal or failure, from the trailing metadata.
  var ponosCode: String? {
    metadata[stringValues: "ponos-code"].first { _ in true }
  }
}
