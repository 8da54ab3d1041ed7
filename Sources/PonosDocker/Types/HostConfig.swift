/// How a container relates to its host: limits, privileges, file systems, network. nil leaves a setting to the engine.
package struct HostConfig: Sendable, Equatable, Codable {
  /// Bytes.
  package var memory: Int64?
  /// Memory and swap together, in bytes.
  package var memorySwap: Int64?
  /// Processor time in billionths of a core.
  package var nanoCPUs: Int64?
  /// Processes and threads.
  package var pidsLimit: Int64?
  package var capDrop: [String]?
  package var capAdd: [String]?
  /// For example `no-new-privileges`; a seccomp profile is given as its JSON text.
  package var securityOptions: [String]?
  package var readonlyRootfs: Bool?
  /// Mount point → mount options.
  package var tmpfs: [String: String]?
  package var logConfig: LogConfig?
  package var restartPolicy: RestartRule?
  package var autoRemove: Bool?
  /// Whether the engine's own init is process 1, so that orphans are reaped and signals have their default effect.
  package var `init`: Bool?
  /// Name or id of the network to join, or `none`, `host`, `bridge`.
  package var networkMode: String?
  /// `8080/tcp` → addresses on the host.
  package var portBindings: [String: [PortBinding]]?
  package var privileged: Bool?
  package var binds: [String]?
  /// Mounts other than those of `tmpfs` and `binds`. One at the path of a volume of the image takes that volume's place.
  package var mounts: [Mount]?
  /// Size of `/dev/shm`, in bytes.
  package var shmSize: Int64?

  package init() {}

  private enum CodingKeys: String, CodingKey {
    case memory = "Memory", memorySwap = "MemorySwap", nanoCPUs = "NanoCpus", pidsLimit = "PidsLimit"
    case capDrop = "CapDrop", capAdd = "CapAdd", securityOptions = "SecurityOpt", readonlyRootfs = "ReadonlyRootfs"
    case tmpfs = "Tmpfs", logConfig = "LogConfig", restartPolicy = "RestartPolicy", autoRemove = "AutoRemove"
    case `init` = "Init", networkMode = "NetworkMode", portBindings = "PortBindings", privileged = "Privileged"
    case binds = "Binds", mounts = "Mounts", shmSize = "ShmSize"
  }
}

/// Something mounted into a container.
package struct Mount: Sendable, Equatable, Codable {
  /// How large a file system in memory may grow, and who may use it.
  package struct TmpfsOptions: Sendable, Equatable, Codable {
    package var sizeBytes: Int64
    /// Permission bits of its root.
    package var mode: UInt32

    private enum CodingKeys: String, CodingKey { case sizeBytes = "SizeBytes", mode = "Mode" }
  }

  /// `tmpfs`, `bind` or `volume`.
  package var type: String
  /// Absolute path in the container.
  package var target: String
  /// Only with type `tmpfs`.
  package var tmpfsOptions: TmpfsOptions?

  /// A file system in memory that everybody in the container may write to; the engine adds `noexec`, `nosuid` and `nodev`.
  package static func tmpfs(at target: String, sizeBytes: Int64) -> Mount {
    Mount(type: "tmpfs", target: target, tmpfsOptions: TmpfsOptions(sizeBytes: sizeBytes, mode: 0o1777))
  }

  private enum CodingKeys: String, CodingKey { case type = "Type", target = "Target", tmpfsOptions = "TmpfsOptions" }
}

/// Where the engine puts a container's output.
package struct LogConfig: Sendable, Equatable, Codable {
  /// For example `json-file`.
  package var type: String
  package var options: [String: String]

  package init(type: String, options: [String: String]) {
    self.type = type
    self.options = options
  }

  private enum CodingKeys: String, CodingKey { case type = "Type", options = "Config" }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    type = try values.decode(String.self, forKey: .type)
    options = try values.decodeIfPresent([String: String].self, forKey: .options) ?? [:]
  }
}

/// When the engine itself starts a container again.
package struct RestartRule: Sendable, Equatable, Codable {
  /// `no`, `always`, `unless-stopped` or `on-failure`.
  package var name: String

  package init(name: String) {
    self.name = name
  }

  private enum CodingKeys: String, CodingKey { case name = "Name" }
}

/// An address on the host that leads to a port of a container.
package struct PortBinding: Sendable, Equatable, Codable {
  /// Empty means every address of the host.
  package var hostAddress: String
  /// Decimal; empty lets the engine choose.
  package var hostPort: String

  package init(hostAddress: String, hostPort: String) {
    self.hostAddress = hostAddress
    self.hostPort = hostPort
  }

  private enum CodingKeys: String, CodingKey { case hostAddress = "HostIp", hostPort = "HostPort" }
}
