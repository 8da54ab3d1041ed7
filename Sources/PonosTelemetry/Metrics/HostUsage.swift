/// The machine's load as the kernel tells it, read from the texts of `/proc/stat`, `/proc/meminfo`, `/proc/diskstats` and
/// `/proc/net/dev`.
package struct HostUsage: Sendable, Equatable {
  /// Processor time of all cores since boot, in ticks.
  package var totalTicks: Double
  /// Idle and I/O-wait ticks of all cores since boot.
  package var idleTicks: Double
  package var memoryBytes: Int64
  /// Memory that programs could be given without swapping.
  package var availableBytes: Int64
  package var diskReads: Int64
  package var diskWrites: Int64
  package var receivedBytes: Int64
  package var sentBytes: Int64
  /// Boot time in seconds since 1970.
  package var bootSeconds: Double

  /// nil when a text is not what Linux writes. `disks` are the names of whole block devices: partitions would count twice.
  package init?(stat: String, meminfo: String, diskstats: String, netDev: String, disks: Set<String>) {
    guard let cpu = Self.numbers(of: "cpu ", in: stat), cpu.count >= 5,
      let boot = Self.numbers(of: "btime ", in: stat)?.first,
      let total = Self.numbers(of: "MemTotal:", in: meminfo)?.first,
      let available = Self.numbers(of: "MemAvailable:", in: meminfo)?.first
    else { return nil }
    // Guest time, from the ninth field on, is part of user time already.
    totalTicks = cpu.prefix(8).reduce(0, +)
    idleTicks = cpu[3] + cpu[4]
    bootSeconds = boot
    memoryBytes = Int64(total) * 1024
    availableBytes = Int64(available) * 1024
    (diskReads, diskWrites) = Self.diskOperations(diskstats, disks)
    (receivedBytes, sentBytes) = Self.networkBytes(netDev)
  }

  /// Processor time used between an earlier reading and this one, as a part of all of it, 0…1; nil when no time has passed.
  package func cpuUtilization(since earlier: HostUsage) -> Double? {
    let total = totalTicks - earlier.totalTicks
    guard total > 0 else { return nil }
    return min(1, max(0, 1 - (idleTicks - earlier.idleTicks) / total))
  }

  /// Used part of the memory, 0…1.
  package var memoryUtilization: Double {
    memoryBytes > 0 ? min(1, max(0, 1 - Double(availableBytes) / Double(memoryBytes))) : 0
  }

  private static func numbers(of prefix: String, in text: String) -> [Double]? {
    text.split(separator: "\n").first { $0.hasPrefix(prefix) }.map { line in
      line.dropFirst(prefix.count).split(separator: " ").compactMap { Double($0) }
    }
  }

  private static func diskOperations(_ text: String, _ disks: Set<String>) -> (reads: Int64, writes: Int64) {
    var (reads, writes): (Int64, Int64) = (0, 0)
    for line in text.split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard fields.count >= 8, disks.contains(String(fields[2])), let read = Int64(fields[3]), let write = Int64(fields[7]) else {
        continue
      }
      reads += read
      writes += write
    }
    return (reads, writes)
  }

  /// Interfaces whose traffic another one carries as well, or whose traffic never leaves the machine.
  private static let innerInterfaces = ["lo", "veth", "docker", "br-", "virbr", "ponos"]

  private static func networkBytes(_ text: String) -> (received: Int64, sent: Int64) {
    var (received, sent): (Int64, Int64) = (0, 0)
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 1)
      guard parts.count == 2 else { continue }
      let name = parts[0].drop { $0 == " " }
      let fields = parts[1].split(separator: " ")
      guard !innerInterfaces.contains(where: { name.hasPrefix($0) }), fields.count >= 9, let into = Int64(fields[0]),
        let out = Int64(fields[8])
      else { continue }
      received += into
      sent += out
    }
    return (received, sent)
  }
}
