import PonosCore
import PonosCrypto
import Testing
@testable import PonosConfiguration

/// What a file says arrives in the value the daemon is built from.
@Suite struct ValuesTests {
  @Test func everyKeyArrives() throws {
    let config = try ConfigurationLoader.load(file: ConfigurationText.sample("complete.yaml"), environment: [:]).config
    #expect(config.debug)
    #expect(config.taskPort == 9190)
    #expect(config.managementPort == 9191)
    #expect(config.listenAddress == "127.0.0.1")
    #expect(config.performerNetworkName == "performers")
    #expect(config.managementAuthentication)
    #expect(config.operations == OperationsConfig(address: "0.0.0.0", port: 9192))
    #expect(config.queue == QueueConfig(maxPerAVS: 10, maxTotal: 20, overflow: .dropLowestPriority))
    #expect(config.identity.address == EthereumAddress(hex: "0x1111111111111111111111111111111111111111"))
    #expect(config.identity.ecdsaKey == .hex(SecretBytes(text: "0x" + String(repeating: "3", count: 64))))
    #expect(config.identity.bn254Key == .hex(SecretBytes(text: String(repeating: "0", count: 63) + "1")))
    #expect(config.chain.chainID == 99)
    #expect(config.chain.rpcURLs == ["https://rpc.test"])
    #expect(config.chain.ecdsaCertificateVerifier == EthereumAddress(hex: "0x9999999999999999999999999999999999999999"))
    #expect(config.storage == .sqlite(path: "/tmp/ponos/tasks.db"))
    let keeping = StoreKeepingConfig(
      retention: .seconds(48 * 3600), digestRetention: .seconds(8760 * 3600),
      backup: BackupConfig(directory: "/tmp/ponos/backup", interval: .seconds(6 * 3600), keep: 4),
      auditLog: "/tmp/ponos/audit.jsonl")
    #expect(config.storeKeeping == keeping)
    #expect(config.auditLogPath == "/tmp/ponos/audit.jsonl")
  }

  @Test func digestsAreKeptForEverAndTasksForAWeekUnlessToldOtherwise() throws {
    let config = try ConfigurationText.load(ConfigurationText.minimal + "storage: {path: /x/y.db}").config
    #expect(config.storeKeeping == StoreKeepingConfig())
    #expect(config.storeKeeping.retention == .seconds(7 * 24 * 3600))
    #expect(config.storeKeeping.digestRetention == nil)
    #expect(config.auditLogPath == "/x/y.db.audit.jsonl")
    #expect(try ConfigurationText.load(ConfigurationText.minimal + "storage: {type: memory}").config.auditLogPath == nil)
  }

  @Test func everyKeyOfAnAVSArrives() throws {
    let config = try ConfigurationLoader.load(file: ConfigurationText.sample("complete.yaml"), environment: [:]).config
    #expect(config.avs.count == 2)
    let avs = config.avs[0]
    let limits = ResourceLimits(memoryBytes: 1 << 30, cpus: 0.5, pids: 64, tmpfsBytes: 16 << 20)
    #expect(avs.limits == limits)
    #expect(avs.concurrency == 3)
    #expect(avs.taskTimeout == .milliseconds(90_500))
    #expect(avs.maxPayloadBytes == 65_536)
    #expect(avs.weight == 7)
    #expect(avs.replicas == 2)
    #expect(avs.balancing == .roundRobin)
    #expect(
      avs.submissionLimits
        == SubmissionLimits(perAVS: RateLimit(perSecond: 12.5, burst: 40), perAggregator: RateLimit(perSecond: 2.5, burst: 3)))
    #expect(
      avs.circuitBreaker
        == CircuitBreaker.Settings(
          consecutiveFailures: 9, failureRatio: 0.25, window: 8, openTime: .seconds(30), probes: 3,
          fairTime: .milliseconds(45_250)))
    let performer = try #require(avs.performer)
    #expect(performer.avs == avs.address)
    #expect(performer.image.repository == "registry.test:5000/acme/performer")
    #expect(performer.image.tag == "v1")
    #expect(performer.image.digest?.hasPrefix("sha256:0123") == true)
    #expect(performer.pullPolicy == .never)
    #expect(performer.concurrency == 3)
    #expect(performer.limits == limits)
    #expect(
      performer.environment == [
        EnvironmentVariable(name: "MODE", source: .literal("strict")),
        EnvironmentVariable(name: "TOKEN", source: .executorEnvironment("HOST_TOKEN")),
      ])
    let registry = try #require(avs.registry)
    #expect(registry.executorOperatorSets == [.init(id: 1, curve: .ecdsa), .init(id: .max, curve: .bn254)])
    #expect(registry.aggregators.count == 2)
    guard case .bn254(let publicKey) = registry.aggregators[1].key else {
      Issue.record("the second aggregator signs with BN254")
      return
    }
    #expect(publicKey.count == 128)
    #expect(config.avs[1].performer == nil)
    #expect(config.avs[1].concurrency == 8)
    #expect(config.avs[1].taskTimeout == .seconds(90))
  }

  @Test func defaultsAreTheOnesOfTheTypes() throws {
    let config = try ConfigurationText.load(ConfigurationText.minimal).config
    #expect(!config.debug)
    #expect(config.taskPort == 9090)
    #expect(config.managementPort == config.taskPort)
    #expect(config.listenAddress == "0.0.0.0")
    #expect(config.operations == OperationsConfig())
    #expect(config.queue == QueueConfig())
    #expect(config.storage == .sqlite(path: "/var/lib/ponos/executor.db"))
    #expect(config.chain.rpcURLs.isEmpty)
    let entry = "avsPerformers: [{avsAddress: '0x4444444444444444444444444444444444444444'}]\n"
    let withAVS = ConfigurationText.minimal.replacing("chainId: 31337", with: "chainId: 31337\n  rpcUrl: http://rpc.test") + entry
    let avs = try #require(try ConfigurationText.load(withAVS).config.avs.first)
    #expect(avs == AVSConfig(address: avs.address))
  }

  private static func avs(_ keys: String) -> String {
    ConfigurationText.minimal.replacing("chainId: 31337", with: "chainId: 31337\n  rpcUrl: http://rpc.test")
      + "avsPerformers:\n  - avsAddress: '0x4444444444444444444444444444444444444444'\n    \(keys)\n"
  }

  @Test(arguments: [
    ("protocol: grpc", PerformerInterface.standard), ("port: 9000", .init(style: .grpc, port: 9000)),
    ("protocol: HTTP", .init(style: .http(taskPath: "/task", healthPath: "/health"), port: 8080)),
    (
      "{protocol: http, port: 80, http: {taskPath: /v1/run, healthPath: /up?deep=1}}",
      .init(style: .http(taskPath: "/v1/run", healthPath: "/up?deep=1"), port: 80)
    ),
  ])
  func interfaces(text: String, expected: PerformerInterface) throws {
    let keys =
      text.hasPrefix("{") ? "image: {repository: r, tag: t}\n    <<: \(text)" : "image: {repository: r, tag: t}\n    \(text)"
    let avs = try #require(try ConfigurationText.load(Self.avs(keys)).config.avs.first)
    #expect(avs.interface == expected && avs.performer?.interface == expected)
  }

  @Test(arguments: [
    ("{}", ResponseRules.none), ("{minBytes: 1, maxBytes: 64}", ResponseRules(lengths: 1...64)),
    ("{prefix: 0x0102}", ResponseRules(prefix: [1, 2])), ("{prefix: \"AB\"}", ResponseRules(prefix: [0xab])),
    ("{format: json}", ResponseRules(format: .json)), ("{format: abiwords}", ResponseRules(format: .abiWords(nil))),
    ("{format: abiWords, abiWords: 3}", ResponseRules(format: .abiWords(3))),
  ])
  func responseRules(text: String, expected: ResponseRules) throws {
    let avs = try #require(try ConfigurationText.load(Self.avs("responseRules: \(text)")).config.avs.first)
    #expect(avs.responseRules == expected)
  }

  @Test(arguments: [
    ("protocol: soap", "protocol", ConfigurationFinding.Code.invalidValue), ("port: 0", "port", .invalidValue),
    ("http: {taskPath: task}", "http.taskPath", .invalidValue),
    ("http: {healthPath: \"/a b\"}", "http.healthPath", .invalidValue),
    ("responseRules: {minBytes: 9, maxBytes: 8}", "responseRules.minBytes", .conflict),
    ("responseRules: {maxBytes: 1572864}", "responseRules.maxBytes", .invalidValue),
    ("responseRules: {prefix: 0x1}", "responseRules.prefix", .invalidValue),
    ("responseRules: {abiWords: 1}", "responseRules.abiWords", .conflict),
    ("responseRules: {format: abiWords, abiWords: 2, maxBytes: 32}", "responseRules.abiWords", .conflict),
    ("responseRules: {format: xml}", "responseRules.format", .invalidValue),
  ])
  func wrongInterfacesAndRules(text: String, key: String, code: ConfigurationFinding.Code) throws {
    #expect(try ConfigurationText.findings(Self.avs(text)).error("avsPerformers[0].\(key)")?.code == code)
  }

  @Test(arguments: [
    ("storage: {type: memory}", StorageConfig.memory), ("storage: {path: /x/y.db}", .sqlite(path: "/x/y.db")),
    ("storage: {type: badger, badger: {dir: /d/}}", .sqlite(path: "/d/executor.db")),
    ("storage: {type: Badger, badgerConfig: {dir: /d}}", .sqlite(path: "/d/executor.db")),
    ("storage: {type: badger, badger: {dir: /d, inMemory: true}}", .memory),
    ("storage:", .sqlite(path: "/var/lib/ponos/executor.db")),
  ])
  func storage(text: String, expected: StorageConfig) throws {
    #expect(try ConfigurationText.load(ConfigurationText.minimal + text).config.storage == expected)
  }

  /// Tools print BN254 keys as integers, without the zeros one in 190 of them starts with.
  @Test(arguments: ["0x01", String(repeating: "7", count: 62), String(repeating: "7", count: 128)])
  func bn254KeysOfAnyLength(digits: String) throws {
    let text = ConfigurationText.minimal.replacing("l1Chain", with: "    bls: {privateKey: \"\(digits)\"}\nl1Chain")
    #expect(try ConfigurationText.load(text).config.identity.bn254Key == .hex(SecretBytes(text: digits)))
    try ConfigurationText.withFile(digits + "\n") { path in
      let file = ConfigurationText.minimal.replacing("l1Chain", with: "    bls: {privateKeyFile: \(path)}\nl1Chain")
      let key = try ConfigurationText.load(file).config.identity.bn254Key
      #expect(key == .hex(SecretBytes(text: digits)))
    }
  }

  @Test(arguments: ["0x", "0x123", "12 34", "xyz", String(repeating: "7", count: 130), String(repeating: "0", count: 64)])
  func notBN254Keys(digits: String) throws {
    let text = ConfigurationText.minimal.replacing("l1Chain", with: "    bls: {privateKey: \"\(digits)\"}\nl1Chain")
    #expect(try ConfigurationText.findings(text).error("operator.signingKeys.bls.privateKey")?.code == .invalidValue)
  }

  @Test func ecdsaKeysHave32Bytes() throws {
    for digits in [String(repeating: "3", count: 62), String(repeating: "f", count: 64)] {
      let text = ConfigurationText.minimal.replacing(String(repeating: "3", count: 64), with: digits)
      #expect(try ConfigurationText.findings(text).error("operator.signingKeys.ecdsa.privateKey")?.code == .invalidValue)
    }
  }

  @Test func badgerNeedsADirectory() throws {
    let findings = try ConfigurationText.findings(ConfigurationText.minimal + "storage: {type: badger}\n")
    #expect(findings.error("storage.badger.dir")?.code == .missingKey)
  }

  @Test func managementPortZeroMeansTheSamePort() throws {
    let text = ConfigurationText.minimal + "managementServerGrpcPort: 0\n"
    #expect(try ConfigurationText.load(text).config.managementPort == 9090)
  }

  @Test(arguments: [
    ("90s", Duration.seconds(90)), ("1m30s", .seconds(90)), ("1.5h", .seconds(5400)), ("500ms", .milliseconds(500)),
    ("2h0m1s", .seconds(7201)), ("250us", .microseconds(250)),
  ])
  func durations(text: String, expected: Duration) {
    #expect(ScalarText.duration(text) == expected)
  }

  @Test(arguments: ["", "90", "s", "1x", "-1s", "1 s", "1s ", "..s", "1e3s", "99999999999999999999h", "٣s"])
  func notDurations(text: String) {
    #expect(ScalarText.duration(text) == nil)
  }

  @Test(arguments: [
    ("4096", Int64(4096)), ("512Mi", 512 << 20), ("512MiB", 512 << 20), ("1.5Gi", 3 << 29), ("100M", 100_000_000), ("2 Ki", 2048),
  ])
  func sizes(text: String, expected: Int64) {
    #expect(ScalarText.size(text) == expected)
  }

  @Test(arguments: ["", "Mi", "512m", "-1", "1Pi", "1e3", "99999999999999999999", "nan", "1Mi1"])
  func notSizes(text: String) {
    #expect(ScalarText.size(text) == nil)
  }

  @Test(arguments: ["ghcr.io/acme/performer", "localhost:5000/p", "performer", "acme/my_performer", "10.0.0.1:5000/a/b.c-d"])
  func repositories(text: String) {
    #expect(ScalarText.isRepository(text))
  }

  @Test(arguments: [
    "", "https://ghcr.io/acme", "Acme/performer", "acme/performer:v1", "a@sha256:00", "a//b", "a b", "/a", "a/", "host:x/p",
  ])
  func notRepositories(text: String) {
    #expect(!ScalarText.isRepository(text))
  }
}
