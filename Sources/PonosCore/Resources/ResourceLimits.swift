/// What one performer's container may use at the most.
package struct ResourceLimits: Hashable, Sendable, Codable {
  /// Memory and swap together, in bytes.
  package var memoryBytes: Int64
  /// Processor time in cores; 0.5 is half of one core.
  package var cpus: Double
  /// Processes and threads.
  package var pids: Int64
  /// Size of each file system the container may write to (`/tmp`, `/dev/shm`, every volume of its image), in bytes; what they
  /// hold counts towards the memory.
  package var tmpfsBytes: Int64
  /// Size of one log file of the engine, in bytes.
  package var logFileBytes: Int64
  /// Log files kept by the engine, the current one included.
  package var logFiles: Int

  package init(
    memoryBytes: Int64 = 512 << 20, cpus: Double = 1, pids: Int64 = 256, tmpfsBytes: Int64 = 64 << 20,
    logFileBytes: Int64 = 10 << 20, logFiles: Int = 3
  ) {
    self.memoryBytes = memoryBytes
    self.cpus = cpus
    self.pids = pids
    self.tmpfsBytes = tmpfsBytes
    self.logFileBytes = logFileBytes
    self.logFiles = logFiles
  }

  /// Enough for a small performer and harmless to its neighbours: 512 MiB, one core, 256 processes, 64 MiB of `/tmp`, 3 × 10 MiB
  /// of logs.
  package static let standard = ResourceLimits()
}
