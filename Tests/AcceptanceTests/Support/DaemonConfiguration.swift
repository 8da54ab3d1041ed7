import Foundation
import PonosAggregator
import PonosCore
import PonosCrypto
import PonosExecutorTesting
import PonosTesting

/// The configuration of a daemon under test. Written as YAML, the way an operator writes it.
struct DaemonConfiguration: Sendable {
  /// One entry of `avsPerformers`. Both test aggregators are registered; set 0 signs with ECDSA, set 1 with BN254.
  struct AVS: Sendable {
    /// Different in every entry ever made, so that daemons of different tests cannot meet in Docker.
    var address = EthereumAddress.random
    /// Repository and tag; nil for an AVS whose performer comes by DeployArtifact, or not at all.
    var image: String?
    var environment: [String: String] = [:]
    /// Name of a variable of the performer → name of a variable of the daemon.
    var environmentFromDaemon: [String: String] = [:]
    var concurrency: Int?
    var taskTimeout: String?
    var resources: [String: String] = [:]
    var replicas: Int?
    /// Submissions a second and at once that each aggregator may send.
    var aggregatorRateLimit: (perSecond: Double, burst: Int)?
    /// More of the entry, key and value as YAML.
    var settings: [String: String] = [:]

    /// A performer that does what payloads say, see `ScriptedBehaviour`.
    static func scripted() -> AVS { AVS(image: Images.scripted) }
  }

  static let operatorAddress = EthereumAddress(unchecked: [UInt8](repeating: 0x0a, count: 20))
  /// Operator set 0 signs with ECDSA, set 1 with BN254.
  static func set(_ curve: SignatureCurve) -> UInt32 { curve == .ecdsa ? 0 : 1 }

  var avs: [AVS]
  var authentication = false
  /// Whether one port serves tasks and management.
  var sharesPort = false
  var storesInMemory = false
  var maxPerAVS: Int?
  /// Value of `queue.overflow`.
  var overflow: String?
  /// Longest silence of the daemon on task streams; nil for the default.
  var heartbeat: String?
  /// Ports of 127.0.0.1 at which it dials the registered ECDSA aggregator, for the AVS of the same place in `avs`.
  var aggregatorPorts: [Int] = []
  /// Endpoints of a chain, which is read instead of a `registry`; nil for none.
  var rpcURLs: [String]?
  /// More keys of `l1Chain`.
  var chainSettings: [String: String] = [:]
  /// Lines at the top level of the file.
  var more = ""
  var debug = false
  /// Something configured cannot come up, so readiness is not to be waited for: the first AVS being served is enough.
  var isNeverReady = false
  /// More variables of the daemon's environment.
  var environment: [String: String] = [:]
  /// The BN254 key comes from a keystore with this password; nil for a key in hex.
  var keystorePassword: String?
  /// In KiB: no file the daemon writes may grow beyond it, as on a disk that is full.
  var fileSizeLimit: Int?
  /// Open files the daemon may have unless it asks the system for more.
  var openFileLimit: Int?

  /// What the shell that becomes the daemon does first; nil for nothing.
  var limits: String? {
    let limits = [
      // Ignored, the signal for a file that is too large turns into an error of the write, which is what a full disk does.
      fileSizeLimit.map { "trap '' XFSZ; ulimit -S -f \($0)" },
      openFileLimit.map { "ulimit -S -n \($0)" },
    ].compactMap(\.self)
    return limits.isEmpty ? nil : limits.joined(separator: "; ")
  }

  init(_ avs: AVS...) {
    self.avs = avs
  }
}

/// Where a daemon under test keeps its files and listens.
struct DaemonPlace: Sendable {
  let directory: URL
  let taskPort: Int
  let managementPort: Int
  let operationsPort: Int

  var configurationFile: URL { directory.appending(path: "executor.yaml") }
  var database: URL { directory.appending(path: "executor.db") }
  var keystore: URL { directory.appending(path: "bls.json") }
  var log: URL { directory.appending(path: "daemon.log") }
}

extension DaemonConfiguration {
  /// The text of the file, and the keystore beside it when one is wanted.
  func write(to place: DaemonPlace) throws {
    if let keystorePassword {
      let json = try KeystoreWriter.eip2335(
        TestKeys.executor(.bn254), password: SecretBytes(text: keystorePassword), cost: .light)
      try Data(json).write(to: place.keystore)
    }
    try Data(yaml(in: place).utf8).write(to: place.configurationFile)
  }

  private func yaml(in place: DaemonPlace) -> String {
    """
    debug: \(debug)
    grpcPort: \(place.taskPort)
    managementServerGrpcPort: \(place.managementPort)
    listenAddress: 127.0.0.1
    authentication: {enabled: \(authentication)}
    operations: {address: 127.0.0.1, port: \(place.operationsPort)}
    storage: \(storesInMemory ? "{type: memory}" : "{type: sqlite, path: \(place.database.path)}")
    l1Chain: {\(chainText)}
    \(more)
    operator:
      address: "\(Self.operatorAddress)"
      signingKeys:
        ecdsa: {privateKey: "\(TestKeys.executorHex(.ecdsa))"}
        bls: \(blsKey(in: place))
    queue: {\(queueSettings)}
    \(heartbeat.map { "streams: {heartbeat: \($0)}\n" } ?? "")\(aggregators)avsPerformers:
    \(avs.map(entry).joined(separator: "\n"))
    """ + "\n"
  }

  private var chainText: String {
    var settings = chainSettings
    settings["chainId"] = settings["chainId"] ?? "31337"
    if let rpcURLs { settings["rpcUrls"] = "[\(rpcURLs.map { "\"\($0)\"" }.joined(separator: ", "))]" }
    return settings.sorted { $0.key < $1.key }.map { "\($0): \($1)" }.joined(separator: ", ")
  }

  private var queueSettings: String {
    [maxPerAVS.map { "maxPerAvs: \($0)" }, overflow.map { "overflow: \($0)" }].compactMap(\.self).joined(separator: ", ")
  }

  private var aggregators: String {
    guard !aggregatorPorts.isEmpty else { return "" }
    let entries = zip(aggregatorPorts, avs).map { port, avs in
      "- {address: \"127.0.0.1:\(port)\", avsAddress: \"\(avs.address)\", "
        + "aggregatorAddress: \"\(TestAggregator.registered(.ecdsa).address)\"}\n"
    }
    return "aggregators:\n" + entries.joined()
  }

  private func blsKey(in place: DaemonPlace) -> String {
    guard let keystorePassword else { return "{privateKey: \"\(TestKeys.executorHex(.bn254))\"}" }
    return "{keystoreFile: \(place.keystore.path), password: \"\(keystorePassword)\"}"
  }

  private func entry(_ avs: AVS) -> String {
    var lines = ["- avsAddress: \"\(avs.address)\"", "  processType: server"]
    if let image = avs.image {
      let parts = image.split(separator: ":")
      lines.append("  image: {repository: \(parts[0]), tag: \(parts[1])}")
    }
    if let concurrency = avs.concurrency { lines.append("  concurrency: \(concurrency)") }
    if let replicas = avs.replicas { lines.append("  replicas: \(replicas)") }
    if let limit = avs.aggregatorRateLimit {
      lines.append("  aggregatorRateLimit: {perSecond: \(limit.perSecond), burst: \(limit.burst)}")
    }
    if let timeout = avs.taskTimeout { lines.append("  taskTimeout: \(timeout)") }
    for (key, value) in avs.settings.sorted(by: { $0.key < $1.key }) { lines.append("  \(key): \(value)") }
    if !avs.resources.isEmpty {
      lines.append("  resources: {\(avs.resources.sorted { $0.key < $1.key }.map { "\($0): \($1)" }.joined(separator: ", "))}")
    }
    if !avs.environment.isEmpty || !avs.environmentFromDaemon.isEmpty { lines.append("  envs:") }
    for (name, value) in avs.environment.sorted(by: { $0.key < $1.key }) {
      lines.append("  - {name: \(name), value: \"\(value)\"}")
    }
    for (name, source) in avs.environmentFromDaemon { lines.append("  - {name: \(name), valueFromEnv: \(source)}") }
    return rpcURLs == nil ? (lines + registry).joined(separator: "\n") : lines.joined(separator: "\n")
  }

  private var registry: [String] {
    var lines = ["  registry:"]
    lines.append("    executorOperatorSets: [{id: 0, curve: ecdsa}, {id: 1, curve: bn254}]")
    lines.append("    aggregators:")
    for aggregator in [TestAggregator.registered(.ecdsa), .registered(.bn254)] {
      let name = aggregator.key.curve == .ecdsa ? "signingAddress" : "publicKey"
      lines.append(
        "    - {address: \"\(aggregator.address)\", curve: \(aggregator.key.curve.rawValue), "
          + "\(name): \"\(Self.publicKeyText(of: aggregator.key))\"}")
    }
    return lines
  }

  private static func publicKeyText(of key: SigningKey) -> String {
    switch key.verificationKey {
    case .ecdsa(let address): address.description
    case .bn254(let key): Hex.encodePrefixed(key.bytes)
    }
  }
}
