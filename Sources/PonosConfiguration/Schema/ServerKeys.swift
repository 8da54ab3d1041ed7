import PonosCore

extension ConfigurationSchema {
  /// The daemon itself: listeners, queue, operations page.
  static let serverKeys: [ConfigurationKey] = [
    ServerKeys.debug.row,
    ServerKeys.taskPort.row,
    ConfigurationKey(
      "managementServerGrpcPort", .integer(0...65535), absent: "as `grpcPort`", also: ["managementGrpcPort"],
      "Port of the management API. 0, or the value of `grpcPort`, serves both on one port."),
    ServerKeys.listenAddress.row,
    ConfigurationKey(
      "performerNetworkName", .network, absent: "a network per AVS",
      "Docker network all performers join; created as a bridge when missing. Without it each AVS gets an internal network of its own."
    ),
    ConfigurationKey("authentication", .group, also: ["authConfig"], "Who may call the management API."),
    ServerKeys.authentication.row,
    ConfigurationKey("management", .group, "What management calls may do."),
    ManagementKeys.allowRemote.row,
    ConfigurationKey(
      "management.valueFromEnv", .names, absent: "none",
      "Variables of the executor's own environment that deployments by the API may give to performers (`value_from_env`)."),
    ConfigurationKey("operations", .group, "The HTTP server with health, metrics, state and the page for people."),
    OperationsKeys.address.row, OperationsKeys.port.row,
    ConfigurationKey(
      "operations.hosts", .names, absent: "localhost",
      "Host names it is reached by through a proxy. On a loopback address it answers to no others, but for `/healthz` and `/readyz`."),
    ConfigurationKey("queue", .group, "How many accepted tasks may wait, and what happens when more come."),
    QueueKeys.maxPerAVS.row, QueueKeys.maxTotal.row, QueueKeys.overflow.row,
  ]

  /// Task streams, accepted on `grpcPort` and dialled.
  static let streamKeys: [ConfigurationKey] = [
    ConfigurationKey("streams", .group, "Bounds of task streams, see docs/streams.md."),
    StreamKeys.heartbeat.row, StreamKeys.maxCredit.row, StreamKeys.maxUnacknowledged.row,
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
    StorageKeys.memoryOnPublicChain.row,
    StorageKeys.retention.row,
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
    StorageKeys.backupInterval.row, StorageKeys.backupCount.row,
    ConfigurationKey("storage.badger", .group, also: ["badgerConfig"], "Read for files that were written for a Badger store."),
    ConfigurationKey("storage.badger.dir", .path, "Directory in which `executor.db` is kept; needed with `type: badger`."),
    StorageKeys.badgerInMemory.row,
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
