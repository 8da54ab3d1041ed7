import PonosConfiguration
import PonosCore

/// What of the configuration may be shown. Built field by field from what is known to be harmless, so that a new secret does
/// not appear by itself: keys are shown as present or not, variables of performers by name, endpoints not at all (they may
/// carry credentials).
package struct ConfigurationSummary: Sendable, Equatable, Codable {
  package struct AVS: Sendable, Equatable, Codable {
    package var address: EthereumAddress
    /// The configured image; nil when a deployment brings it.
    package var image: String?
    package var concurrency: Int
    package var replicas: Int
    package var weight: Int
    package var taskTimeoutSeconds: Double
    package var memoryBytes: Int64
    package var cpus: Double
    package var environmentNames: [String]
    /// Operator sets from the configuration; nil when they are read from the chain.
    package var operatorSets: [String]?
  }

  package var debug: Bool
  package var listenAddress: String
  package var taskPort: Int
  package var managementPort: Int
  package var managementAuthentication: Bool
  package var chainID: UInt64
  package var hasECDSAKey: Bool
  package var hasBN254Key: Bool
  package var storage: String
  package var performerNetworkName: String?
  package var queueMaxPerAVS: Int
  package var queueMaxTotal: Int
  package var queueOverflow: String
  package var avs: [AVS]

  package init(config: ExecutorConfig) {
    debug = config.debug
    listenAddress = config.listenAddress
    taskPort = config.taskPort
    managementPort = config.managementPort
    managementAuthentication = config.managementAuthentication
    chainID = config.chain.chainID
    hasECDSAKey = config.identity.ecdsaKey != nil
    hasBN254Key = config.identity.bn254Key != nil
    storage =
      switch config.storage {
      case .memory: "memory"
      case .sqlite(let path): "sqlite \(path)"
      }
    performerNetworkName = config.performerNetworkName
    queueMaxPerAVS = config.queue.maxPerAVS
    queueMaxTotal = config.queue.maxTotal
    queueOverflow = config.queue.overflow.rawValue
    avs = config.avs.map { AVS($0) }
  }
}

extension ConfigurationSummary.AVS {
  fileprivate init(_ config: AVSConfig) {
    address = config.address
    image = config.performer?.image.description
    concurrency = config.concurrency
    replicas = config.replicas
    weight = config.weight
    taskTimeoutSeconds = config.taskTimeout / .seconds(1)
    memoryBytes = config.limits.memoryBytes
    cpus = config.limits.cpus
    environmentNames = config.performer?.environment.map(\.name) ?? []
    operatorSets = config.registry.map { registry in
      registry.executorOperatorSets.map { "\($0.id) \($0.curve.rawValue)" }
    }
  }
}
