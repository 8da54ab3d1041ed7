import PonosCore
import PonosCrypto

/// Turns checked settings into an `ExecutorConfig`, and reports what only shows when settings are seen together.
struct ConfigurationAssembly {
  let root: ConfigurationSection
  let report: ConfigurationReport
  let secrets: SecretFileReader
  let keystores: KeystorePresence

  /// The configuration; nil when something was reported as an error.
  func make() -> ExecutorConfig? {
    let identity = identity()
    let avs = avsConfigs(identity)
    let chain = chain(avs)
    let storage = storage()
    checkPorts()
    guard let identity, let chain, let avs, let storage else { return nil }
    let taskPort = root[ServerKeys.taskPort]
    var config = ExecutorConfig(
      taskPort: taskPort, managementPort: managementPort(taskPort), identity: identity, chain: chain, avs: avs,
      storage: storage)
    config.debug = root[ServerKeys.debug]
    config.listenAddress = root[ServerKeys.listenAddress]
    config.performerNetworkName = root.text("performerNetworkName").flatMap { $0.isEmpty ? nil : $0 }
    config.managementAuthentication = root.section("authentication")[ServerKeys.authentication]
    config.storeKeeping = storeKeeping()
    let operations = root.section("operations")
    config.operations.address = operations[OperationsKeys.address]
    config.operations.port = operations[OperationsKeys.port]
    config.operations.hosts = Set((operations.text("hosts").map(ScalarText.names) ?? []).map { $0.lowercased() })
    let management = root.section("management")
    config.management.allowsRemote = management[ManagementKeys.allowRemote]
    config.management.sharedVariables = Set(management.text("valueFromEnv").map(ScalarText.names) ?? [])
    let queue = root.section("queue")
    config.queue.maxPerAVS = queue[QueueKeys.maxPerAVS]
    config.queue.maxTotal = queue[QueueKeys.maxTotal]
    if config.queue.maxTotal < avs.count {
      report.add(
        .warning, .consequence, key: queue.path.appending(key: "maxTotal"), origin: queue.origin("maxTotal"),
        "\(config.queue.maxTotal) places cannot be shared by \(avs.count) AVSs, so some may be shut out by others",
        cure: "allow at least one place for each")
    }
    config.queue.overflow = queue[QueueKeys.overflow]
    config.streams = streams()
    config.aggregators = aggregators(avs)
    reportOpenDoors(config)
    return report.hasErrors ? nil : config
  }

  private func managementPort(_ taskPort: Int) -> Int {
    let port = root.integer("managementServerGrpcPort") ?? 0
    return port == 0 ? taskPort : port
  }

  private func checkPorts() {
    let operations = root.section("operations")
    let port = operations[OperationsKeys.port]
    guard port != 0 else { return }
    for key in ["grpcPort", "managementServerGrpcPort"] where root.integer(key) == port {
      report.add(
        .error, .conflict, key: operations.path.appending(key: "port"),
        origin: operations.isGiven("port") ? operations.origin("port") : root.origin(key),
        "port \(port) is also the value of \(key)", cure: "give each server a port of its own")
    }
  }

  private func storage() -> StorageConfig? {
    let storage = root.section("storage")
    guard let type = storage.choice("type") else { return nil }
    switch type {
    case "memory": return memory(storage)
    case "badger": return badger(storage)
    default: return storage.text("path").map { .sqlite(path: $0) }
    }
  }

  private func storeKeeping() -> StoreKeepingConfig {
    let storage = root.section("storage")
    var keeping = StoreKeepingConfig()
    keeping.retention = storage[StorageKeys.retention]
    keeping.digestRetention = storage.duration("digestRetention")
    keeping.auditLog = storage.text("auditLog")
    let backup = storage.section("backup")
    if let directory = backup.text("directory") {
      keeping.backup = BackupConfig(
        directory: directory, interval: backup[StorageKeys.backupInterval], keep: backup[StorageKeys.backupCount])
    }
    if let digests = keeping.digestRetention, digests < keeping.retention {
      report.add(
        .error, .conflict, key: storage.path.appending(key: "digestRetention"), origin: storage.origin("digestRetention"),
        "is shorter than storage.retention", cure: "keep digests at least as long as tasks, or leave the key out")
    }
    return keeping
  }

  private func memory(_ storage: ConfigurationSection) -> StorageConfig? {
    let chain = root.section("l1Chain").integer("chainId") ?? 0
    if Self.publicChains.contains(chain), !storage[StorageKeys.memoryOnPublicChain] {
      report.add(
        .error, .consequence, key: storage.path.appending(key: "type"), origin: storage.origin("type"),
        "a memory store forgets at each restart which digests were signed, so two different answers to one task can be signed, and chain "
          + "\(chain) is a public one",
        cure: "use 'type: sqlite', or set storage.memoryOnPublicChain to take that risk")
      return nil
    }
    report.add(
      .warning, .consequence, key: storage.path.appending(key: "type"), origin: storage.origin("type"),
      "nothing survives a restart: accepted tasks and deployed performers are forgotten, and another answer to a task that was signed "
        + "before may be signed",
      cure: "use 'type: sqlite' to keep them")
    return .memory
  }

  /// Chains on which somebody else's stake or money may depend on a signature: Ethereum, Base, and their public test networks.
  private static let publicChains: Set<Int> = [1, 8453, 17000, 84532, 560_048, 11_155_111]

  private func badger(_ storage: ConfigurationSection) -> StorageConfig? {
    let badger = storage.section("badger")
    if badger[StorageKeys.badgerInMemory] { return memory(storage) }
    guard let directory = badger.text("dir") else {
      if !badger.isGiven("dir") {
        report.add(
          .error, .missingKey, key: badger.path.appending(key: "dir"), origin: storage.origin("type"),
          "is missing, but storage.type is 'badger'", cure: "add it, or write 'type: sqlite' and 'path'")
      }
      return nil
    }
    report.add(
      .note, .consequence, key: storage.path.appending(key: "type"), origin: storage.origin("type"),
      "a SQLite database is kept in \(directory); a Badger store that may be there is not read")
    return .sqlite(path: directory.hasSuffix("/") ? directory + "executor.db" : directory + "/executor.db")
  }
}
