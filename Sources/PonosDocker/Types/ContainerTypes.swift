/// A container to be created (`POST /containers/create`). nil and empty values leave a setting to the image.
package struct ContainerCreation: Sendable, Equatable, Encodable {
  /// Reference or id of an image the engine holds.
  package var image: String
  package var command: [String]?
  package var entrypoint: [String]?
  /// `NAME=VALUE` each.
  package var environment: [String]
  package var labels: [String: String]
  package var hostname: String?
  package var user: String?
  package var hostConfig: HostConfig

  package init(image: String, environment: [String] = [], labels: [String: String] = [:], hostConfig: HostConfig = HostConfig()) {
    self.image = image
    self.environment = environment
    self.labels = labels
    self.hostConfig = hostConfig
  }

  private enum CodingKeys: String, CodingKey {
    case image = "Image", command = "Cmd", entrypoint = "Entrypoint", environment = "Env", labels = "Labels"
    case hostname = "Hostname", user = "User", hostConfig = "HostConfig"
  }
}

/// A line of the list of containers.
package struct ContainerSummary: Sendable, Equatable, Decodable {
  /// 64 hex digits.
  package let id: String
  /// Each begins with a slash.
  package let names: [String]
  /// Reference the container was created from.
  package let image: String
  package let labels: [String: String]
  /// `created`, `running`, `paused`, `restarting`, `removing`, `exited` or `dead`.
  package let state: String

  private enum CodingKeys: String, CodingKey {
    case id = "Id", names = "Names", image = "Image", labels = "Labels", state = "State"
  }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    id = try values.decode(String.self, forKey: .id)
    names = try values.decodeIfPresent([String].self, forKey: .names) ?? []
    image = try values.decodeIfPresent(String.self, forKey: .image) ?? ""
    labels = try values.decodeIfPresent([String: String].self, forKey: .labels) ?? [:]
    state = try values.decodeIfPresent(String.self, forKey: .state) ?? ""
  }
}

/// Everything about one container (`GET /containers/ID/json`).
package struct ContainerDetails: Sendable, Equatable, Decodable {
  /// What the container does.
  package struct State: Sendable, Equatable, Decodable {
    /// As in `ContainerSummary.state`.
    package let status: String
    package let isRunning: Bool
    /// A hint only: engines differ in when they set it.
    package let wasOOMKilled: Bool
    /// Meaningful once the container has ended; 128 + n for signal n.
    package let exitCode: Int
    /// What kept the container from starting; empty when nothing.
    package let error: String

    private enum CodingKeys: String, CodingKey {
      case status = "Status", isRunning = "Running", wasOOMKilled = "OOMKilled", exitCode = "ExitCode", error = "Error"
    }

    package init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: CodingKeys.self)
      status = try values.decodeIfPresent(String.self, forKey: .status) ?? ""
      isRunning = try values.decodeIfPresent(Bool.self, forKey: .isRunning) ?? false
      wasOOMKilled = try values.decodeIfPresent(Bool.self, forKey: .wasOOMKilled) ?? false
      exitCode = try values.decodeIfPresent(Int.self, forKey: .exitCode) ?? 0
      error = try values.decodeIfPresent(String.self, forKey: .error) ?? ""
    }
  }

  /// What the container was created with.
  package struct Config: Sendable, Equatable, Decodable {
    /// Reference it was created from.
    package let image: String
    package let labels: [String: String]
    /// `NAME=VALUE` each, the image's own included.
    package let environment: [String]
    package let user: String

    private enum CodingKeys: String, CodingKey { case image = "Image", labels = "Labels", environment = "Env", user = "User" }

    package init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: CodingKeys.self)
      image = try values.decodeIfPresent(String.self, forKey: .image) ?? ""
      labels = try values.decodeIfPresent([String: String].self, forKey: .labels) ?? [:]
      environment = try values.decodeIfPresent([String].self, forKey: .environment) ?? []
      user = try values.decodeIfPresent(String.self, forKey: .user) ?? ""
    }
  }

  package let id: String
  /// Without a slash in front.
  package let name: String
  /// Id of the image.
  package let imageID: String
  /// RFC 3339.
  package let created: String
  package let state: State
  package let config: Config
  package let hostConfig: HostConfig
  /// Network name → the container's IPv4 address in it; empty text while it is not running. The address of a stopped container
  /// may already belong to another one: look at `state.isRunning` first.
  package let addresses: [String: String]

  private struct NetworkSettings: Decodable {
    struct Attachment: Decodable {
      let address: String?
      enum CodingKeys: String, CodingKey { case address = "IPAddress" }
    }
    let networks: [String: Attachment]?
    enum CodingKeys: String, CodingKey { case networks = "Networks" }
  }

  private enum CodingKeys: String, CodingKey {
    case id = "Id", name = "Name", imageID = "Image", created = "Created", state = "State", config = "Config"
    case hostConfig = "HostConfig", networkSettings = "NetworkSettings"
  }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    id = try values.decode(String.self, forKey: .id)
    let name = try values.decodeIfPresent(String.self, forKey: .name) ?? ""
    self.name = name.hasPrefix("/") ? String(name.dropFirst()) : name
    imageID = try values.decodeIfPresent(String.self, forKey: .imageID) ?? ""
    created = try values.decodeIfPresent(String.self, forKey: .created) ?? ""
    state = try values.decode(State.self, forKey: .state)
    config = try values.decode(Config.self, forKey: .config)
    hostConfig = try values.decodeIfPresent(HostConfig.self, forKey: .hostConfig) ?? HostConfig()
    let network = try values.decodeIfPresent(NetworkSettings.self, forKey: .networkSettings)
    addresses = (network?.networks ?? [:]).mapValues { $0.address ?? "" }
  }
}

/// How a container ended.
package struct ContainerExit: Sendable, Equatable, Decodable {
  /// 128 + n for signal n.
  package let statusCode: Int

  private enum CodingKeys: String, CodingKey { case statusCode = "StatusCode" }
}

/// What a container uses at one moment.
package struct ContainerUsage: Sendable, Equatable, Decodable {
  /// Processor time since the container started, in nanoseconds over all cores.
  package let cpuNanoseconds: UInt64
  /// Memory in use in bytes, without the file cache that the kernel gives up first (what `docker stats` shows, too).
  package let memoryBytes: UInt64
  /// Limit on memory, in bytes.
  package let memoryLimitBytes: UInt64
  /// Processes and threads.
  package let pids: UInt64

  private struct CPU: Decodable {
    struct Usage: Decodable {
      let total: UInt64?
      enum CodingKeys: String, CodingKey { case total = "total_usage" }
    }
    let usage: Usage?
    enum CodingKeys: String, CodingKey { case usage = "cpu_usage" }
  }

  private struct Memory: Decodable {
    /// Named differently by version 1 and 2 of control groups.
    struct Statistics: Decodable {
      let inactiveFile, totalInactiveFile: UInt64?
      enum CodingKeys: String, CodingKey { case inactiveFile = "inactive_file", totalInactiveFile = "total_inactive_file" }
    }
    let usage, limit: UInt64?
    let stats: Statistics?
  }
  private struct Pids: Decodable { let current: UInt64? }

  private enum CodingKeys: String, CodingKey { case cpu = "cpu_stats", memory = "memory_stats", pids = "pids_stats" }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    cpuNanoseconds = try values.decodeIfPresent(CPU.self, forKey: .cpu)?.usage?.total ?? 0
    let memory = try values.decodeIfPresent(Memory.self, forKey: .memory)
    let used = memory?.usage ?? 0
    let reclaimable = memory?.stats?.totalInactiveFile ?? memory?.stats?.inactiveFile ?? 0
    memoryBytes = used > reclaimable ? used - reclaimable : used
    memoryLimitBytes = memory?.limit ?? 0
    pids = try values.decodeIfPresent(Pids.self, forKey: .pids)?.current ?? 0
  }
}
