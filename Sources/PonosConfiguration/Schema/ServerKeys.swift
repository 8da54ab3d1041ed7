import PonosCore

extension ConfigurationSchema {
  /// The daemon itself: listeners, queue, operations page.
  static let serverKeys: [ConfigurationKey] = [
    ConfigurationKey("debug", .boolean, default: "false", "Log at debug level."),
    ConfigurationKey(
      "grpcPort", .integer(0...65535), default: "9090",
      "Port on which aggregators submit tasks. 0 lets the system choose one."),
    ConfigurationKey(
      "managementServerGrpcPort", .integer(0...65535), absent: "as `grpcPort`", also: ["managementGrpcPort"],
      "Port of the management API. 0, or the value of `grpcPort`, serves both on one port."),
    ConfigurationKey("listenAddress", .ipv4, default: "0.0.0.0", "Address both gRPC ports are bound to."),
    ConfigurationKey(
      "performerNetworkName", .network, absent: "a network per AVS",
      "Docker network all performers join; created as a bridge when missing. Without it each AVS gets an internal network of its own."
    ),
    ConfigurationKey("authentication", .group, also: ["authConfig"], "Who may call the management API."),
    ConfigurationKey(
      "authentication.enabled", .boolean, default: "false", also: ["isEnabled"],
      "Management calls must carry a challenge token signed with the executor's signing key."),
    ConfigurationKey("operations", .group, "The HTTP server with health, metrics, state and the page for people."),
    ConfigurationKey("operations.address", .ipv4, default: "127.0.0.1", "Address it is bound to."),
    ConfigurationKey("operations.port", .integer(0...65535), default: "9092", "Its port. 0 lets the system choose one."),
    ConfigurationKey("queue", .group, "How many accepted tasks may wait, and what happens when more come."),
    ConfigurationKey("queue.maxPerAvs", .integer(1...1_000_000), default: "4096", "Waiting tasks of one AVS."),
    ConfigurationKey("queue.maxTotal", .integer(1...1_000_000), default: "16384", "Waiting tasks of all AVSs together."),
    ConfigurationKey(
      "queue.overflow", .choice(OverflowPolicy.allCases.map(\.rawValue)), default: OverflowPolicy.rejectNewest.rawValue,
      "What happens when there is no room for a task. A refused one is answered RESOURCE_EXHAUSTED and may come again; an accepted one "
        + "that makes room for another of its AVS has failed (`task_displaced`)."),
  ]

  /// Task streams, accepted on `grpcPort` and dialled.
  static let streamKeys: [ConfigurationKey] = [
    ConfigurationKey("streams", .group, "Bounds of task streams, see docs/streams.md."),
    ConfigurationKey(
      "streams.heartbeat", .duration(.milliseconds(100)...(.seconds(3600))), default: "10s",
      "The longest silence of this executor. A peer that is silent for two of its own heartbeats counts as dead."),
    ConfigurationKey(
      "streams.maxCredit", .integer(1...65_536), default: "1024",
      "Submissions of one session that may be on their way; never more than the queue has places."),
    ConfigurationKey(
      "streams.maxUnacknowledged", .integer(1...65_536), default: "512",
      "Outcomes of one session that are sent and not acknowledged; more wait in the database."),
    ConfigurationKey(
      "aggregators", .list, absent: "none is dialled", "Aggregators this executor dials for a task stream; one entry per AVS."),
    ConfigurationKey("aggregators[].address", .endpoint, required: true, "Where its `AggregatorService` listens."),
    ConfigurationKey(
      "aggregators[].avsAddress", .address, required: true, "The AVS whose tasks it sends; one of `avsPerformers`."),
    ConfigurationKey(
      "aggregators[].aggregatorAddress", .address, required: true,
      "Operator address of the aggregator; one of the AVS's `registry`. It has to prove that key."),
  ]

  /// Where state is kept.
  static let storageKeys: [ConfigurationKey] = [
    ConfigurationKey("storage", .group, "Where tasks, results and deployments are kept."),
    ConfigurationKey(
      "storage.type", .choice(["sqlite", "memory", "badger"]), default: "sqlite",
      "`memory` keeps nothing over a restart. `badger` is read as a SQLite file in the directory `storage.badger.dir`."),
    ConfigurationKey(
      "storage.path", .path, default: "/var/lib/ponos/executor.db",
      "The SQLite database. Its directory is created when missing and must be on a local disk."),
    ConfigurationKey(
      "storage.retention", .duration(.seconds(3600)...(.seconds(3650 * 86400))), default: "168h",
      "How long finished tasks are kept. Within it a task that is submitted again gets the stored answer."),
    ConfigurationKey(
      "storage.digestRetention", .duration(.seconds(30 * 86400)...(.seconds(3650 * 86400))), absent: "for ever",
      "How long the digest signed for a task is kept once the task is forgotten. After it another digest could be signed for the same task id."
    ),
    ConfigurationKey(
      "storage.auditLog", .path, absent: "`storage.path` and `.audit.jsonl`",
      "File to which audit entries are appended, one JSON object a line."),
    ConfigurationKey("storage.backup", .group, "Scheduled backups of the database. None without this group."),
    ConfigurationKey(
      "storage.backup.directory", .path, required: true,
      "Directory for the copies, best on another disk. Created when missing, with mode 0700."),
    ConfigurationKey(
      "storage.backup.every", .duration(.seconds(60)...(.seconds(365 * 86400))), default: "24h", "Time from one copy to the next."
    ),
    ConfigurationKey("storage.backup.keep", .integer(1...10_000), default: "7", "Copies that are kept; older ones are removed."),
    ConfigurationKey("storage.badger", .group, also: ["badgerConfig"], "Read for files that were written for a Badger store."),
    ConfigurationKey("storage.badger.dir", .path, "Directory in which `executor.db` is kept; needed with `type: badger`."),
    ConfigurationKey("storage.badger.inMemory", .boolean, default: "false", "With `type: badger`: the same as `type: memory`."),
    ConfigurationKey(ignored: "storage.badger.valueLogFileSize", because: "SQLite has no such setting"),
    ConfigurationKey(ignored: "storage.badger.numVersionsToKeep", because: "SQLite has no such setting"),
    ConfigurationKey(ignored: "storage.badger.numLevelZeroTables", because: "SQLite has no such setting"),
    ConfigurationKey(ignored: "storage.badger.numLevelZeroTablesStall", because: "SQLite has no such setting"),
  ]

  /// The chain whose contracts the operator is registered with.
  static let chainKeys: [ConfigurationKey] = [
    ConfigurationKey("l1Chain", .group, required: true, "The chain the operator is registered on."),
    ConfigurationKey(
      "l1Chain.chainId", .integer(1...Int.max), required: true,
      "Id of the chain. It selects the certificate verifier that ECDSA results are signed for."),
    ConfigurationKey(
      "l1Chain.rpcUrl", .url, secret: true,
      "JSON-RPC endpoint of the chain. Not needed while every AVS has a `registry`; this version does not read from the chain."),
    ConfigurationKey("l1Chain.rpcUrlFile", .path, "File that holds the endpoint, for URLs with an access key."),
    ConfigurationKey("contracts", .group, "Addresses of contracts, for chains that are not built in."),
    ConfigurationKey(
      "contracts.ecdsaCertificateVerifier", .address, absent: "by `l1Chain.chainId`",
      "The ECDSACertificateVerifier proxy whose address is part of each ECDSA certificate."),
    ConfigurationKey(
      ignored: "overrideContracts", because: "certificate digests are computed here, so no mailbox contract is asked"),
    ConfigurationKey(ignored: "kubernetes", because: "performers run in Docker; this block belongs to Kubernetes mode"),
  ]
}
