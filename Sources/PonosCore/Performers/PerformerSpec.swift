/// What an operator wants to run for an AVS: everything needed to create the container, or to create it again.
package struct PerformerSpec: Hashable, Sendable, Codable {
  package var avs: EthereumAddress
  package var image: ImageReference
  package var pullPolicy: PullPolicy
  package var environment: [EnvironmentVariable]
  /// Tasks the performer is given at a time, at least 1.
  package var concurrency: Int
  package var limits: ResourceLimits
  package var interface: PerformerInterface

  package init(
    avs: EthereumAddress, image: ImageReference, pullPolicy: PullPolicy = .ifNotPresent,
    environment: [EnvironmentVariable] = [], concurrency: Int = 8, limits: ResourceLimits = .standard,
    interface: PerformerInterface = .standard
  ) {
    self.avs = avs
    self.image = image
    self.pullPolicy = pullPolicy
    self.environment = environment
    self.concurrency = concurrency
    self.limits = limits
    self.interface = interface
  }

  /// Reads records of versions that knew one interface only, too.
  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      avs: try values.decode(EthereumAddress.self, forKey: .avs), image: try values.decode(ImageReference.self, forKey: .image),
      pullPolicy: try values.decode(PullPolicy.self, forKey: .pullPolicy),
      environment: try values.decode([EnvironmentVariable].self, forKey: .environment),
      concurrency: try values.decode(Int.self, forKey: .concurrency),
      limits: try values.decode(ResourceLimits.self, forKey: .limits),
      interface: try values.decodeIfPresent(PerformerInterface.self, forKey: .interface) ?? .standard)
  }
}

/// One variable of a performer's environment.
package struct EnvironmentVariable: Hashable, Sendable, Codable {
  package enum Source: Hashable, Sendable, Codable {
    /// The value itself.
    case literal(String)
    /// The name of a variable of the daemon, read whenever a container is created.
    case executorEnvironment(String)
  }

  package let name: String
  package let source: Source

  package init(name: String, source: Source) {
    self.name = name
    self.source = source
  }
}

/// Where the wish to run a performer came from.
package enum PerformerOrigin: String, Hashable, Sendable, Codable {
  /// An entry of `avsPerformers` in the configuration.
  case configuration
  /// A DeployArtifact call; it outlives restarts of the daemon.
  case deployment
}
