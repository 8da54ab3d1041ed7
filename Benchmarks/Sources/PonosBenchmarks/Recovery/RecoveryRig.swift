import Logging
import PonosConfiguration
import PonosCore
import PonosCrypto
import PonosExecutor
import PonosStore
import PonosTelemetry

/// The parts of a daemon that recovery needs.
enum RecoveryRig {
  /// Recovers everything in `store`; returns the queue it is in.
  static func recover(from store: SQLiteStore, avs: EthereumAddress, executor: EthereumAddress) async throws -> TaskQueue {
    let queue = TaskQueue(limits: QueueConfig())
    try await StateRecovery(
      store: store, journal: TaskJournal(store: store, clock: .system),
      validator: TaskValidator(operatorAddress: executor, registry: OneCurveRegistry(), signers: { _ in [.ecdsa] }),
      inFlight: InFlightTasks(), queue: queue,
      metrics: ExecutorMetrics(registry: PrometheusRegistry(), avs: [avs], version: "benchmark"),
      logger: Logger(label: "benchmark") { _ in SwiftLogNoOpLogHandler() }
    ).recoverTasks()
    return queue
  }
}

/// Every operator set signs with ECDSA, and nobody may submit.
private struct OneCurveRegistry: OperatorSetRegistry {
  func executorCurve(of set: OperatorSet, atBlock block: UInt64) async throws(Rejection) -> SignatureCurve { .ecdsa }

  func aggregatorKey(
    of aggregator: EthereumAddress, avs: EthereumAddress, atBlock block: UInt64
  ) async throws(Rejection) -> VerificationKey {
    throw .unknownAggregator(aggregator, avs: avs)
  }
}
