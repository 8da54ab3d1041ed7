import PonosCore

/// The AVSs and their performers.
extension ConfigurationAssembly {
  /// The configurations of all entries; nil when one cannot be read. Reads all of them in any case, to report what is wrong with each.
  func avsConfigs(_ identity: OperatorIdentity?) -> [AVSConfig]? {
    let entries = root.entries("avsPerformers")
    var configs: [AVSConfig] = []
    for entry in entries {
      checkMode(entry)
      guard let config = avsConfig(entry, identity) else { continue }
      if configs.contains(where: { $0.address == config.address }) {
        report.add(
          .error, .conflict, key: entry.path.appending(key: "avsAddress"), origin: entry.origin("avsAddress"),
          "\(config.address) has an entry already", cure: "keep one entry per AVS")
      }
      configs.append(config)
    }
    return configs.count == entries.count ? configs : nil
  }

  private func checkMode(_ entry: ConfigurationSection) {
    guard entry.choice("deploymentMode") == "kubernetes" else { return }
    report.add(
      .error, .unsupported, key: entry.path.appending(key: "deploymentMode"), origin: entry.origin("deploymentMode"),
      "performers in Kubernetes are not available in this version",
      cure: "write 'docker' and run the executor beside a Docker engine")
  }

  private func avsConfig(_ entry: ConfigurationSection, _ identity: OperatorIdentity?) -> AVSConfig? {
    let registry = entry.section("registry")
    let registryConfig = registry.isPresent ? self.registry(registry, identity, in: entry) : nil
    let spec = performer(entry)
    guard let address = entry.address("avsAddress"), registry.isPresent == (registryConfig != nil) else { return nil }
    guard entry.isGiven("image") == (spec != nil) else { return nil }
    var config = AVSConfig(address: address, performer: spec)
    config.concurrency = entry[AVSKeys.concurrency]
    config.taskTimeout = entry[AVSKeys.taskTimeout]
    config.maxPayloadBytes = entry[AVSKeys.maxPayloadBytes]
    readDispatch(entry, into: &config)
    config.interface = interface(entry)
    config.responseRules = responseRules(entry.section("responseRules"))
    config.limits = limits(entry.section("resources"))
    config.registry = registryConfig
    config.signingKeys = signingKeys(entry.section("signingKeys"))
    config.operatorSetKeys = operatorSetKeys(entry)
    config.taskCheck = entry.choice("taskCheck").flatMap(TaskCheck.init(rawValue:)) ?? config.taskCheck
    return config
  }

  private func operatorSetKeys(_ entry: ConfigurationSection) -> [UInt32: SigningKeySources] {
    var keys: [UInt32: SigningKeySources] = [:]
    for set in entry.entries("operatorSetKeys") {
      guard let id = set.integer("id").flatMap({ UInt32(exactly: $0) }) else { continue }
      if keys[id] != nil {
        report.add(
          .error, .conflict, key: set.path.appending(key: "id"), origin: set.origin("id"), "set \(id) is listed twice",
          cure: "keep one of them")
      }
      keys[id] = signingKeys(set.section("signingKeys"))
    }
    return keys
  }

  private func performer(_ entry: ConfigurationSection) -> PerformerSpec? {
    let image = entry.section("image")
    let environment = environment(entry)
    guard image.isPresent else { return nil }
    if !image.isGiven("tag"), !image.isGiven("digest") {
      report.add(
        .error, .missingKey, key: image.path, origin: image.node?.origin, "names no version of the image",
        cure: "add tag or digest")
    }
    guard let address = entry.address("avsAddress"), let repository = image.text("repository") else { return nil }
    return PerformerSpec(
      avs: address,
      image: ImageReference(repository: repository, tag: image.text("tag"), digest: image.text("digest")),
      pullPolicy: image[AVSKeys.pullPolicy], environment: environment, concurrency: entry[AVSKeys.concurrency],
      limits: limits(entry.section("resources")),
      interface: interface(entry))
  }

  private func environment(_ entry: ConfigurationSection) -> [EnvironmentVariable] {
    var variables: [EnvironmentVariable] = []
    for env in entry.entries("envs") {
      guard let name = env.text("name") else { continue }
      if variables.contains(where: { $0.name == name }) {
        report.add(
          .error, .conflict, key: env.path.appending(key: "name"), origin: env.origin("name"), "'\(name)' is set twice",
          cure: "keep one of them")
      }
      if let source = env.text("valueFromEnv") {
        variables.append(EnvironmentVariable(name: name, source: .executorEnvironment(source)))
      } else {
        variables.append(EnvironmentVariable(name: name, source: .literal(env.text("value") ?? "")))
      }
    }
    return variables
  }

  private func limits(_ section: ConfigurationSection) -> ResourceLimits {
    var limits = ResourceLimits.standard
    limits.memoryBytes = section[ResourceKeys.memory]
    limits.cpus = section[ResourceKeys.cpus]
    limits.pids = Int64(section[ResourceKeys.pids])
    limits.tmpfsBytes = section[ResourceKeys.tmpfs]
    if limits.tmpfsBytes > limits.memoryBytes {
      report.add(
        .warning, .consequence, key: section.path.appending(key: "tmpfs"), origin: section.origin("tmpfs"),
        "is larger than the memory it counts towards, so a full /tmp gets the performer killed",
        cure: "raise memory or lower tmpfs")
    }
    return limits
  }
}
