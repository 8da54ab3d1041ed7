import Foundation
import PonosCore
@testable import PonosExecutor
import PonosStoreTesting
import PonosTelemetry
import PonosTesting
import Testing

@Suite struct ExecutorMetricsTests {
  private let registry = PrometheusRegistry()
  private let avs = StoreRecords.address(1)
  private let metrics: ExecutorMetrics

  init() { metrics = ExecutorMetrics(registry: registry, avs: [StoreRecords.address(1)], version: "1.2.3") }

  private func value(_ line: String) -> Double? {
    registry.text().split(separator: "\n").first { $0.hasPrefix(line + " ") }.flatMap { Double($0.dropFirst(line.count + 1)) }
  }

  @Test func tasksAreCountedByAVSAndStrangersTogether() {
    metrics.taskReceived(avs)
    for number in 100..<150 { metrics.taskReceived(StoreRecords.address(number)) }
    metrics.taskRefused(nil, code: "malformed")
    metrics.taskRefused(avs, code: "unknown_avs")
    metrics.taskAccepted(avs)
    metrics.taskFailed(avs, code: "timed_out")
    metrics.taskSigned(.bn254, seconds: 0.002)
    #expect(value("ponos_tasks_received_total{avs=\"\(avs)\"}") == 1)
    #expect(value("ponos_tasks_received_total{avs=\"other\"}") == 50)
    #expect(value("ponos_tasks_refused_total{avs=\"other\",code=\"malformed\"}") == 1)
    #expect(value("ponos_tasks_failed_total{avs=\"\(avs)\",code=\"timed_out\"}") == 1)
    #expect(value("ponos_signing_seconds_count{curve=\"bn254\"}") == 1)
    #expect(!registry.text().contains(StoreRecords.address(120).description))
    #expect(
      metrics.taskCounts(waiting: 3, executing: 2)
        == TaskCounts(received: 51, refused: 2, accepted: 1, signed: 1, failed: 1, waiting: 3, executing: 2))
  }

  @Test func performerGaugesFollowWhatIsThere() {
    let running = PerformerObservation(avs: avs, state: .running, isRunning: true, capacity: 8, outstanding: 3)
    let failed = PerformerObservation(avs: avs, state: .failed, isRunning: false, capacity: 0, outstanding: 0)
    metrics.performers([running, failed])
    #expect(value("ponos_performers{avs=\"\(avs)\",state=\"running\"}") == 1)
    #expect(value("ponos_performers{avs=\"\(avs)\",state=\"failed\"}") == 1)
    #expect(value("ponos_containers_running{avs=\"\(avs)\"}") == 1)
    #expect(value("ponos_performer_slots{avs=\"\(avs)\"}") == 8)
    #expect(value("ponos_performer_slots_in_use{avs=\"\(avs)\"}") == 3)
    metrics.performers([])
    #expect(value("ponos_performers{avs=\"\(avs)\",state=\"running\"}") == 0)
    #expect(value("ponos_containers_running{avs=\"\(avs)\"}") == 0)
  }

  @Test func theProcessIsMeasured() async throws {
    let sampler = ResourceSampler(registry: registry, interval: .milliseconds(1))
    try await withThrowingTaskGroup { group in
      group.addTask { try await sampler.run() }
      // The series are there from the start, at zero.
      try await eventually { value("ponos_host_memory_utilization_ratio") ?? 0 > 0 }
      group.cancelAll()
    }
    #expect(try #require(value("process_resident_memory_bytes")) > Double(1 << 20))
    #expect(try #require(value("process_open_fds")) > 2)
    #expect(try #require(value("process_max_fds")) >= 256)
    let start = try #require(value("process_start_time_seconds"))
    #expect(abs(Date().timeIntervalSince1970 - start) < 24 * 3600)
    let memory = try #require(value("ponos_host_memory_utilization_ratio"))
    #expect(memory > 0 && memory <= 1)
    #expect(value("ponos_build_info{version=\"1.2.3\"}") == 1)
    #expect(try #require(value("ponos_uptime_seconds")) >= 0)
  }

  @Test func kernelTextsAreRead() throws {
    // The program's name may hold spaces and parentheses.
    let stat =
      "42 (a) b (c) S 1 42 42 0 -1 4194304 100 0 0 0 250 150 0 0 20 0 7 0 5000 1048576 300 18446744073709551615 1 1"
    let limits = """
      Limit                     Soft Limit           Hard Limit           Units
      Max open files            1024                 4096                 files
      """
    let process = try #require(ProcessUsage(stat: stat, limits: limits, ticksPerSecond: 100, pageBytes: 4096))
    #expect(process.cpuSeconds == 4 && process.residentBytes == 300 * 4096 && process.virtualBytes == 1_048_576)
    #expect(process.threads == 7 && process.startSeconds == 50 && process.maxDescriptors == 1024)
    #expect(ProcessUsage(stat: "nonsense", limits: "", ticksPerSecond: 100, pageBytes: 4096) == nil)

    func host(_ cpu: String) -> HostUsage? {
      HostUsage(
        stat: "cpu  \(cpu)\ncpu0 1 1 1 1\nbtime 1700000000\n",
        meminfo: "MemTotal:       1000 kB\nMemFree: 1 kB\nMemAvailable:    250 kB\n",
        diskstats: "   8 0 sda 10 0 80 0 20 0 160 0 0 0 0\n   8 1 sda1 9 0 80 0 19 0 160 0 0 0 0\n",
        netDev: """
          Inter-|   Receive                                                |  Transmit
           face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
              lo: 5 0 0 0 0 0 0 0 5 0 0 0 0 0 0 0
            eth0: 700 0 0 0 0 0 0 0 900 0 0 0 0 0 0 0
          veth12: 7 0 0 0 0 0 0 0 9 0 0 0 0 0 0 0
          """, disks: ["sda"])
    }
    let first = try #require(host("10 0 10 70 10 0 0 0 0 0"))
    let second = try #require(host("40 0 20 120 20 0 0 0 0 0"))
    #expect(second.cpuUtilization(since: first) == 0.4)
    #expect(first.cpuUtilization(since: first) == nil)
    #expect(first.memoryUtilization == 0.75)
    #expect(first.diskReads == 10 && first.diskWrites == 20 && first.receivedBytes == 700 && first.sentBytes == 900)
    #expect(HostUsage(stat: "", meminfo: "", diskstats: "", netDev: "", disks: []) == nil)
  }
}
