import Foundation
import Logging
import PonosCore
import PonosDocker
import PonosStoreTesting
import PonosTesting
import Synchronization
import Testing

@testable import PonosContainers
@testable import PonosExecutor
@testable import PonosTelemetry

@Suite("Container usage")
struct ContainerUsageSamplerTests {
  private static let avs = StoreRecords.address(1)

  /// What an engine says of a container, in seconds and bytes.
  private static func usage(cpu: Double, memory: UInt64, cache: UInt64 = 0, limit: UInt64 = 1 << 30) throws -> ContainerUsage {
    let text = """
      {"cpu_stats": {"cpu_usage": {"total_usage": \(UInt64(cpu * 1e9))}}, "pids_stats": {"current": 3},
       "memory_stats": {"usage": \(memory), "limit": \(limit), "stats": {"inactive_file": \(cache)}}}
      """
    return try JSONDecoder().decode(ContainerUsage.self, from: Data(text.utf8))
  }

  @Test("processor time only grows, over containers that come and go; memory is what all of them use now")
  func processorTimeOnlyGrows() async throws {
    let registry = PrometheusRegistry()
    let metrics = ExecutorMetrics(registry: registry, avs: [Self.avs], version: "0")
    // Each round: what the containers of the AVS use.
    let rounds: [[String: ContainerUsage]] = [
      ["a": try Self.usage(cpu: 100, memory: 50)],
      ["a": try Self.usage(cpu: 103, memory: 70, cache: 20), "b": try Self.usage(cpu: 40, memory: 7)],
      // "a" has ended in the middle of the question.
      ["a": try Self.usage(cpu: 0, memory: 0, limit: 0), "b": try Self.usage(cpu: 42, memory: 9)],
      [:],
    ]
    let round = Mutex(0)
    let sampler = ContainerUsageSampler(
      running: {
        rounds[min(round.withLock(\.self), rounds.count - 1)].keys.sorted().map { .init(avs: Self.avs, id: $0) }
      },
      usage: { id throws(DockerError) in
        guard let usage = rounds[round.withLock(\.self)][id] else { throw DockerError(.notFound, "gone") }
        return usage
      },
      observe: { metrics.containerUsage($0) }, interval: .milliseconds(1), logger: Logger(label: "test"))

    func expect(processor: Double, memory: Double) async throws {
      try await eventually {
        registry.text().contains("ponos_container_cpu_seconds_total{avs=\"\(Self.avs)\"} \(Self.number(processor))\n")
          && registry.text().contains("ponos_container_memory_bytes{avs=\"\(Self.avs)\"} \(Self.number(memory))\n")
      }
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await sampler.run() }
      try await expect(processor: 0, memory: 50)
      for expected in [(3.0, 57.0), (5.0, 9.0), (5.0, 0.0)] {
        round.withLock { $0 += 1 }
        try await expect(processor: expected.0, memory: expected.1)
      }
      group.cancelAll()
    }
  }

  private static func number(_ value: Double) -> String { "\(Int(value))" }
}
