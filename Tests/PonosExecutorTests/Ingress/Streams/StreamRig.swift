import GRPCCore
import Logging
import PonosAPI
import PonosCore
import PonosCrypto
import PonosExecutorTesting
import PonosSystem
import PonosTesting
import PonosTransport

@testable import PonosAggregator
@testable import PonosConfiguration
@testable import PonosExecutor
@testable import PonosStore

/// The task pipeline behind task streams, on real connections over loopback.
struct StreamRig: Sendable {
  let rig: PipelineRig
  let sessions: SessionRegistry
  let credit: CreditPool

  init(
    store: any ExecutorStore = MemoryStore(), limits: QueueConfig = QueueConfig(),
    queueBytes: Int = TaskQueue.maxBytes, signers: [SignatureCurve] = SignatureCurve.allCases,
    _ change: (inout AggregatorSession.Machine.Settings) -> Void = { _ in }
  ) throws {
    let rig = try PipelineRig(store: store, limits: limits, queueBytes: queueBytes, signers: signers)
    self.rig = rig
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let credit = CreditPool(
      aggregators: [PipelineRig.avs: SignatureCurve.allCases.count], room: { rig.queue.room(avs: $0) })
    self.credit = credit
    var settings = AggregatorSession.Machine.Settings()
    change(&settings)
    sessions = SessionRegistry(
      settings: settings,
      dependencies: SessionDependencies(
        operatorAddress: PipelineRig.operatorAddress,
        authenticator: AggregatorAuthenticator(
          registry: try StaticOperatorSetRegistry([PipelineRig.config(PipelineRig.avs)]),
          keys: KeyRing(signers.map { TestKeys.executor($0) })),
        intake: rig.streams,
        canceller: rig.canceller,
        transmitter: rig.transmitter, credit: credit, metrics: rig.streamMetrics, clock: .system, logger: logger))
  }

  /// Opens intake and a task port while `body`, which is given the port, runs.
  func serve<Result: Sendable>(_ body: @escaping @Sendable (Int) async throws -> Result) async throws -> Result {
    try await rig.run { _ in
      let server = GRPCServer(
        transport: Transports.server(ServerTransportSettings(host: "127.0.0.1", port: 0)),
        services: [TaskStreamHandler(sessions: sessions)])
      return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await server.serve() }
        let result = try await body(try await server.transport.boundPort())
        sessions.stop()
        server.beginGracefulShutdown()
        group.cancelAll()
        return result
      }
    }
  }

  /// The registered aggregator of a curve.
  static func aggregator(
    _ curve: SignatureCurve = .ecdsa, set: UInt32 = 0, executorKey: VerificationKey? = nil,
    _ change: (inout StreamSubmitter.Machine.Settings) -> Void = { _ in }
  ) -> StreamAggregator {
    aggregator(.registered(curve), set: set, executorKey: executorKey, change)
  }

  static func aggregator(
    _ aggregator: TestAggregator, set: UInt32 = 0, executorKey: VerificationKey? = nil,
    _ change: (inout StreamSubmitter.Machine.Settings) -> Void = { _ in }
  ) -> StreamAggregator {
    var settings = StreamSubmitter.Machine.Settings()
    change(&settings)
    return StreamAggregator(
      aggregator, avs: PipelineRig.avs, executor: PipelineRig.operatorAddress, operatorSetID: set,
      executorKey: executorKey ?? TestKeys.executor(set == 0 ? .ecdsa : .bn254).verificationKey, settings: settings)
  }

  static func owner(_ curve: SignatureCurve = .ecdsa) -> TaskOwner {
    TaskOwner(aggregator: TestAggregator.registered(curve).address, avs: PipelineRig.avs)
  }

  /// Outcomes that wait in the store.
  func waiting(_ curve: SignatureCurve = .ecdsa) async throws -> [TaskID] {
    let page = try await rig.transmitter.waiting(for: Self.owner(curve), excluding: [], limit: 100_000, bytes: .max)
    return page.outcomes.map(\.id)
  }
}
