import PonosCore
import PonosCrypto
@testable import PonosConfiguration
@testable import PonosExecutor
import PonosStoreTesting
import PonosTesting
@testable import PonosStore

/// A state with something of everything, and hostile text wherever text comes from outside.
enum StateDumpFixture {
  static let hostile = #"<script>alert("x")</script>&'"#
  static let secret = "b71c71a67e1177ad4e901695e1b4b9ee17ae16c6668d313eac2f96dbcda3f291"
  static let now: UnixMilliseconds = 1_700_000_600_000

  static var config: ExecutorConfig {
    let spec = PerformerSpec(
      avs: StoreRecords.address(1), image: ImageReference(repository: "registry.local/square", tag: "v1", digest: nil),
      environment: [EnvironmentVariable(name: "API_TOKEN", source: .literal(secret))])
    return ExecutorConfig(
      taskPort: 9090, managementPort: 9091,
      identity: OperatorIdentity(
        address: StoreRecords.address(77), ecdsaKey: .hex(SecretBytes(text: secret)), bn254Key: nil),
      chain: ChainConfig(
        chainID: 17000, rpcURLs: ["https://user:\(secret)@rpc.example/"], ecdsaCertificateVerifier: StoreRecords.address(9)),
      avs: [AVSConfig(address: StoreRecords.address(1), performer: spec)],
      storage: .sqlite(path: "/var/lib/ponos/executor.sqlite"))
  }

  static func state(isReady: Bool = true) -> StateDump {
    StateDump(
      version: "0.1.0", startedAt: now - 93_784_000, now: now, operatorAddress: StoreRecords.address(77),
      installationID: "5f0c2f3e-0000-4000-8000-000000000001",
      readiness: Readiness(checks: [
        Readiness.Check(name: "store", isReady: true),
        Readiness.Check(name: "performers", isReady: isReady, reason: isReady ? nil : "performer p-2 is Restarting: \(hostile)"),
      ]),
      configuration: ConfigurationSummary(config: config),
      performers: [
        performer(1, state: "InService", isHealthy: true, error: nil),
        performer(2, state: "Restarting", isHealthy: false, error: "exited with code 137: \(hostile)"),
      ],
      queues: [
        QueueView(avs: StoreRecords.address(1), waiting: 12, limit: 4096),
        QueueView(avs: StoreRecords.address(2), waiting: 4000, limit: 4096),
      ],
      tasks: TaskCounts(
        received: 1_284_210, refused: 17, accepted: 1_284_193, signed: 1_280_170, failed: 3, waiting: 4012, executing: 8),
      recentTasks: TaskPhase.allCases.enumerated().flatMap { index, phase in [task(index, phase), task(index + 10, phase)] })
  }

  private static func performer(_ number: Int, state: String, isHealthy: Bool, error: String?) -> PerformerView {
    PerformerView(
      id: "performer-\(number)", avs: StoreRecords.address(number), state: state,
      image: "ghcr.io/acme/price-median@sha256:" + String(repeating: "9c", count: 32),
      containerID: String(repeating: "a1b2c3d4", count: 8), generation: number, restarts: number - 1, capacity: 8,
      outstanding: 5, isHealthy: isHealthy, lastHealthCheckAt: now - 2400, lastError: error)
  }

  private static func task(_ number: Int, _ phase: TaskPhase) -> TaskSummary {
    TaskSummary(
      id: StoreRecords.taskID(number &* 0x1234_5678_9abc),
      operatorSet: OperatorSet(avs: StoreRecords.address(number % 2 + 1), id: 1),
      phase: phase, attempt: phase == .queued ? 0 : 1, performerID: "performer-1", acceptedAt: now - 1500 * Int64(number + 1),
      finishedAt: phase.isFinished ? now - 1500 * Int64(number + 1) + 42 : nil,
      failure: phase == .failed ? StoredFailure(code: "performer_failed", message: hostile) : nil)
  }
}
