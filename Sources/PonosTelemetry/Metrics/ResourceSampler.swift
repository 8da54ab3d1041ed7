import Foundation
import ServiceLifecycle
import Synchronization

/// Measures the process at each scrape and the machine every few seconds, from `/proc`. Where there is none, it shows nothing.
package struct ResourceSampler: Service {
  private let interval: Duration
  private let process: ProcessSeries
  private let host: HostSeries

  package init(registry: PrometheusRegistry, interval: Duration = .seconds(10)) {
    self.interval = interval
    process = ProcessSeries(registry)
    host = HostSeries(registry)
    registry.beforeScrape { [process] in process.sample() }
  }

  /// Samples at once and then every interval, until shutdown.
  package func run() async throws {
    await cancelWhenGracefulShutdown {
      while !Task.isCancelled {
        host.sample()
        do { try await Task.sleep(for: interval) } catch { return }
      }
    }
  }
}

/// The standard metrics of a process.
private struct ProcessSeries: Sendable {
  private let cpu: PrometheusCounter
  private let resident: PrometheusGauge
  private let virtual: PrometheusGauge
  private let threads: PrometheusGauge
  private let start: PrometheusGauge
  private let openDescriptors: PrometheusGauge
  private let maxDescriptors: PrometheusGauge

  init(_ registry: PrometheusRegistry) {
    cpu = registry.counter("process_cpu_seconds_total", help: "Processor time used by the daemon.").with()
    resident = registry.gauge("process_resident_memory_bytes", help: "Memory of the daemon that is in RAM.").with()
    virtual = registry.gauge("process_virtual_memory_bytes", help: "Address space of the daemon.").with()
    threads = registry.gauge("process_threads", help: "Threads of the daemon.").with()
    start = registry.gauge("process_start_time_seconds", help: "Start of the daemon in seconds since 1970.").with()
    openDescriptors = registry.gauge("process_open_fds", help: "File descriptors the daemon has open.").with()
    maxDescriptors = registry.gauge("process_max_fds", help: "File descriptors the daemon may have open.").with()
  }

  func sample() {
    guard let stat = ProcFile.text("/proc/self/stat"), let system = ProcFile.text("/proc/stat"),
      let usage = ProcessUsage(
        stat: stat, limits: ProcFile.text("/proc/self/limits") ?? "", ticksPerSecond: Double(sysconf(Int32(_SC_CLK_TCK))),
        pageBytes: Int64(sysconf(Int32(_SC_PAGESIZE))))
    else { return }
    cpu.set(total: usage.cpuSeconds)
    resident.set(Double(usage.residentBytes))
    virtual.set(Double(usage.virtualBytes))
    threads.set(Double(usage.threads))
    if let boot = ProcFile.number(after: "btime ", in: system) { start.set(boot + usage.startSeconds) }
    if let limit = usage.maxDescriptors { maxDescriptors.set(Double(limit)) }
    openDescriptors.set(Double(ProcFile.names(in: "/proc/self/fd").count))
  }
}

/// The metrics of the machine.
private final class HostSeries: Sendable {
  private let cpu: PrometheusGauge
  private let memory: PrometheusGauge
  private let reads: PrometheusCounter
  private let writes: PrometheusCounter
  private let received: PrometheusCounter
  private let sent: PrometheusCounter
  private let previous = Mutex<HostUsage?>(nil)

  init(_ registry: PrometheusRegistry) {
    cpu = registry.gauge("ponos_host_cpu_utilization_ratio", help: "Used part of the machine's processor time, 0 to 1.").with()
    memory = registry.gauge("ponos_host_memory_utilization_ratio", help: "Used part of the machine's memory, 0 to 1.").with()
    let disk = registry.counter(
      "ponos_host_disk_operations_total", help: "Reads and writes completed by the machine's disks.", labels: ["operation"])
    (reads, writes) = (disk.with("read"), disk.with("write"))
    let network = registry.counter(
      "ponos_host_network_bytes_total", help: "Bytes through the machine's outer network interfaces.", labels: ["direction"])
    (received, sent) = (network.with("receive"), network.with("send"))
  }

  func sample() {
    guard let stat = ProcFile.text("/proc/stat"), let meminfo = ProcFile.text("/proc/meminfo"),
      let usage = HostUsage(
        stat: stat, meminfo: meminfo, diskstats: ProcFile.text("/proc/diskstats") ?? "",
        netDev: ProcFile.text("/proc/net/dev") ?? "", disks: Self.disks())
    else { return }
    let earlier = previous.withLock { previous in
      defer { previous = usage }
      return previous
    }
    if let earlier, let ratio = usage.cpuUtilization(since: earlier) { cpu.set(ratio) }
    memory.set(usage.memoryUtilization)
    reads.set(total: Double(usage.diskReads))
    writes.set(total: Double(usage.diskWrites))
    received.set(total: Double(usage.receivedBytes))
    sent.set(total: Double(usage.sentBytes))
  }

  /// Whole block devices that stand for hardware: the others pass on to one of these, or to memory.
  private static func disks() -> Set<String> {
    let passing = ["loop", "ram", "zram", "dm-", "md"]
    return Set(ProcFile.names(in: "/sys/block").filter { name in !passing.contains { name.hasPrefix($0) } })
  }
}
