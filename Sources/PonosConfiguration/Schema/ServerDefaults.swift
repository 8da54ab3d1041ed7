import PonosCore

/// Keys with defaults of the daemon itself.
enum ServerKeys {
  static let debug = Key("debug", default: false, "Log at debug level.")
  static let taskPort = Key(
    "grpcPort", 0...65535, default: 9090, "Port on which aggregators submit tasks. 0 lets the system choose one.")
  static let listenAddress = Key("listenAddress", .ipv4, default: "0.0.0.0", "Address both gRPC ports are bound to.")
  static let authentication = Key(
    "authentication.enabled", default: false, also: ["isEnabled"],
    "Management calls must carry a challenge token signed with the executor's signing key.")
}

/// Keys with defaults of the management API.
enum ManagementKeys {
  static let allowRemote = Key(
    "management.allowRemote", default: false,
    "While authentication is disabled, callers of other hosts are refused, containers on a bridge among them. True lets them in: whoever reaches the port can then replace performers."
  )
}

/// Keys with defaults of the operations server.
enum OperationsKeys {
  static let address = Key("operations.address", .ipv4, default: "127.0.0.1", "Address it is bound to.")
  static let port = Key("operations.port", 0...65535, default: 9092, "Its port. 0 lets the system choose one.")
}

/// Keys with defaults of the queue.
enum QueueKeys {
  static let maxPerAVS = Key("queue.maxPerAvs", 1...1_000_000, default: 4096, "Waiting tasks of one AVS.")
  static let maxTotal = Key("queue.maxTotal", 1...1_000_000, default: 16384, "Waiting tasks of all AVSs together.")
  static let overflow = Key(
    "queue.overflow", default: OverflowPolicy.rejectNewest,
    "What happens when there is no room for a task. A refused one is answered RESOURCE_EXHAUSTED and may come again; an accepted one "
      + "that makes room for another of its AVS has failed (`task_displaced`).")
}

/// Keys with defaults of task streams.
enum StreamKeys {
  static let heartbeat = Key(
    "streams.heartbeat", .milliseconds(100)...(.seconds(3600)), default: .seconds(10),
    "The longest silence of this executor. A peer that is silent for two of its own heartbeats counts as dead.")
  static let maxCredit = Key(
    "streams.maxCredit", 1...65_536, default: 1024,
    "Submissions of one session that may be on their way; never more than the queue has places.")
  static let maxUnacknowledged = Key(
    "streams.maxUnacknowledged", 1...65_536, default: 512,
    "Outcomes of one session that are sent and not acknowledged; more wait in the database.")
}

/// Keys with defaults of the store.
enum StorageKeys {
  static let memoryOnPublicChain = Key(
    "storage.memoryOnPublicChain", default: false,
    "`type: memory` is refused on public chains, since after a restart another answer to a task could be signed. True takes that risk.")
  static let retention = Key(
    "storage.retention", .seconds(3600)...(.seconds(3650 * 86400)), default: .seconds(7 * 86400),
    "How long finished tasks are kept. Within it a task that is submitted again gets the stored answer.")
  static let backupInterval = Key(
    "storage.backup.every", .seconds(60)...(.seconds(365 * 86400)), default: .seconds(86400), "Time from one copy to the next.")
  static let backupCount = Key(
    "storage.backup.keep", 1...10_000, default: 7, "Copies that are kept; older ones are removed.")
  static let badgerInMemory = Key(
    "storage.badger.inMemory", default: false, "With `type: badger`: the same as `type: memory`.")
}
