/// The load of one process as the kernel tells it, read from the text of `/proc/<pid>/stat` and `/proc/<pid>/limits`.
package struct ProcessUsage: Sendable, Equatable {
  /// Processor time in user and kernel mode.
  package var cpuSeconds: Double
  package var residentBytes: Int64
  package var virtualBytes: Int64
  package var threads: Int
  /// Start of the process in seconds after the boot of the machine.
  package var startSeconds: Double
  /// Soft limit of open files; nil when there is none.
  package var maxDescriptors: Int?

  /// nil when the text is not what Linux writes.
  package init?(stat: String, limits: String, ticksPerSecond: Double, pageBytes: Int64) {
    // The second field is the program's name in parentheses and may hold anything: count from the last parenthesis.
    guard let end = stat.lastIndex(of: ")") else { return nil }
    let fields = stat[stat.index(after: end)...].split(separator: " ")
    guard fields.count >= 22, let user = Double(fields[11]), let system = Double(fields[12]), let threads = Int(fields[17]),
      let start = Double(fields[19]), let virtual = Int64(fields[20]), let resident = Int64(fields[21].prefix { $0.isNumber })
    else { return nil }
    cpuSeconds = (user + system) / ticksPerSecond
    residentBytes = resident * pageBytes
    virtualBytes = virtual
    self.threads = threads
    startSeconds = start / ticksPerSecond
    maxDescriptors = limits.split(separator: "\n").first { $0.hasPrefix("Max open files") }
      .flatMap { $0.split(separator: " ").dropFirst(3).first }.flatMap { Int($0) }
  }
}
