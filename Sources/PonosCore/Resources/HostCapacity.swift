/// What a host has for containers.
package struct HostCapacity: Sendable, Equatable {
  /// In bytes; 0 when it is not known.
  package var memoryBytes: Int64
  /// Processors; 0 when it is not known.
  package var cpus: Int

  package init(memoryBytes: Int64, cpus: Int) {
    self.memoryBytes = memoryBytes
    self.cpus = cpus
  }

  /// Nothing is known of the host, so that everything fits.
  package static let unknown = HostCapacity(memoryBytes: 0, cpus: 0)

  /// Why a container with these limits cannot be given what they promise, and what to do; nil when it can.
  package func shortage(for limits: ResourceLimits) -> String? {
    if memoryBytes > 0, limits.memoryBytes > memoryBytes {
      return
        "resources.memory is \(Self.mebibytes(limits.memoryBytes)) and the host has \(Self.mebibytes(memoryBytes)); "
        + "lower it, or use a host with more memory"
    }
    if cpus > 0, limits.cpus > Double(cpus) {
      return "resources.cpus is \(limits.cpus) and the host has \(cpus) processors; lower it, or use a host with more of them"
    }
    return nil
  }

  private static func mebibytes(_ bytes: Int64) -> String { "\(bytes >> 20) MiB" }
}
