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
      "Host names it is reached by through a proxy. On a loopback address it answers to no others, but for `/healthz` and `/readyz`."
    ),
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
  static let chainKeys: [ConfigurationKey] =
    [
      ConfigurationKey("l1Chain", .group, required: true, "The chain the operator is registered on."),
      ConfigurationKey(
        "l1Chain.chainId", .integer(1...Int.max), required: true,
        "Id of the chain. It selects the certificate verifier that ECDSA results are signed for."),
    ] + endpointKeys + [
      ConfigurationKey(
        "l1Chain.agreement", .integer(1...16), default: "1",
        "Endpoints that have to give the same answer before a key or a membership counts."),
      ConfigurationKey(
        "l1Chain.maxBlockAge", .duration(.seconds(60)...(.seconds(366 * 86400))), default: "168h",
        "Oldest block that a submission may name. Tasks of an L2 name the block of its last operator table."),
      ConfigurationKey(
        "l1Chain.rotationGrace", .integer(0...100_000), default: "64",
        "Blocks after the replacement of a key for which submissions of earlier blocks may still be signed with it."),
      ConfigurationKey(
        "l1Chain.maxStale", .duration(.zero...(.seconds(86400))), default: "10m",
        "While no endpoint answers, what is known stays good for this long; then submissions are refused with `chain_unavailable`. "
          + "`0s` turns that off."),
    ] + contractKeys

  private static let endpointKeys: [ConfigurationKey] = [
    ConfigurationKey(
      "l1Chain.rpcUrls", .urls, secret: true,
      "JSON-RPC endpoints of the chain, the preferred one first; the others serve when it fails. Needed unless every AVS has a `registry`."
    ),
    ConfigurationKey("l1Chain.rpcUrl", .url, secret: true, "A single endpoint; asked before those of `rpcUrls`."),
    ConfigurationKey("l1Chain.rpcUrlFile", .path, "File that holds the endpoint, for URLs with an access key."),
    ConfigurationKey("l1Chain.rpcUrlsFile", .path, "File that holds the endpoints, one on each line; instead of `rpcUrls`."),
    ConfigurationKey(
      "l1Chain.caFile", .path, absent: "the system's authorities",
      "PEM file of certificates that are trusted besides, for endpoints with a private authority."),
  ]

  private static let contractKeys: [ConfigurationKey] = [
    ConfigurationKey("contracts", .group, "Addresses of contracts, for chains that are not built in."),
    ConfigurationKey(
      "contracts.ecdsaCertificateVerifier", .address, absent: "by `l1Chain.chainId`",
      "The ECDSACertificateVerifier proxy whose address is part of each ECDSA certificate."),
    ConfigurationKey("contracts.allocationManager", .address, absent: "by `l1Chain.chainId`", "EigenLayer's AllocationManager."),
    ConfigurationKey("contracts.keyRegistrar", .address, absent: "by `l1Chain.chainId`", "EigenLayer's KeyRegistrar."),
    ConfigurationKey(
      "taskMailbox", .group, "The mailbox that `avsPerformers[].taskCheck` asks; on L1 unless this says otherwise."),
    ConfigurationKey(
      "taskMailbox.chainId", .integer(1...Int.max), absent: "`l1Chain.chainId`", "Id of the chain the tasks live on."),
    ConfigurationKey(
      "taskMailbox.rpcUrls", .urls, absent: "those of `l1Chain`", secret: true, "JSON-RPC endpoints of that chain."),
    ConfigurationKey("taskMailbox.address", .address, absent: "by its chain id", "The TaskMailbox."),
    ConfigurationKey(
      ignored: "overrideContracts",
      because: "certificate digests are computed here; see `taskMailbox` for the mailbox that is asked"),
    ConfigurationKey(ignored: "kubernetes", because: "performers run in Docker; this block belongs to Kubernetes mode"),
  ]
}
