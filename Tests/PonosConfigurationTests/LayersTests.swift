import Foundation
import PonosCore
import PonosCrypto
import Testing
@testable import PonosConfiguration

/// Defaults, then the file, then the environment, then flags.
@Suite struct LayersTests {
  private let minimal = ConfigurationText.minimal

  @Test func eachLayerBeatsTheOneBefore() throws {
    let flag = ConfigurationFlag(name: "--grpc-port", key: "grpcPort", value: "3")
    #expect(try ConfigurationText.load(minimal.replacing("grpcPort: 9090", with: "")).config.taskPort == 9090)
    #expect(try ConfigurationText.load(minimal.replacing("9090", with: "1")).config.taskPort == 1)
    #expect(try ConfigurationText.load(minimal, environment: ["EXECUTOR_GRPC_PORT": "2"]).config.taskPort == 2)
    #expect(try ConfigurationText.load(minimal, environment: ["EXECUTOR_GRPC_PORT": "2"], flags: [flag]).config.taskPort == 3)
  }

  @Test(arguments: [
    "EXECUTOR_L1_CHAIN_RPC_URL", "EXECUTOR__L1CHAIN_RPCURL", "EXECUTOR_L1CHAIN__RPC_URL", "EXECUTOR__L1_CHAIN__RPC_URL",
  ])
  func variablesInEverySpelling(name: String) throws {
    let loaded = try ConfigurationText.load(minimal, environment: [name: "http://rpc.test"])
    #expect(loaded.config.chain.rpcURLs == ["http://rpc.test"])
    #expect(loaded.settings.contains(EffectiveSetting(key: "l1Chain.rpcUrl", value: "http://rpc.test", origin: name)))
  }

  @Test func everyKeyHasAVariable() {
    let resolver = VariableResolver(schema: ConfigurationSchema.root, report: ConfigurationReport())
    for path in ConfigurationSchema.usedPaths {
      let name = VariableResolver.name(of: path)
      let found = resolver.assignments([name: "x"]).map { "\($0.path)" }
      #expect(found == [path.replacing("[]", with: "[0]")], "\(name)")
    }
  }

  @Test func everyKeyHasAFlagPath() {
    let report = ConfigurationReport()
    let resolver = FlagResolver(schema: ConfigurationSchema.root, report: report)
    let open = ConfigurationSchema.keys.filter { !$0.isSecret }.map(\.path)
    for path in ConfigurationSchema.usedPaths where open.contains(path) {
      for key in [path.replacing("[]", with: "[7]"), path.replacing("[]", with: ".7")] {
        let found = resolver.assignments([ConfigurationFlag(name: "--set", key: key, value: "x")]).map { "\($0.path)" }
        #expect(found == [path.replacing("[]", with: "[7]")])
      }
    }
    #expect(report.findings.isEmpty)
  }

  @Test(arguments: [
    ("kubernetes", ["EXECUTOR_KUBERNETES_NAMESPACE", "EXECUTOR__KUBERNETES_OPERATOR_NAMESPACE"], "kubernetes.namespace"),
    (
      "operator.operatorPrivateKey", ["EXECUTOR__OPERATOR_OPERATORPRIVATEKEY_PRIVATEKEY"],
      "operator.operatorPrivateKey.privateKey"
    ),
    (
      "avsPerformers[0].kubernetes", ["EXECUTOR_AVS_PERFORMERS_0_KUBERNETES_SERVICE_ACCOUNT"],
      "avsPerformers[0].kubernetes.serviceAccount"
    ),
  ])
  func whatIsBelowAnIgnoredKeyIsIgnoredToo(key: String, variables: [String], flag: String) throws {
    // Different values, which is no conflict where none of them has an effect.
    let environment = Dictionary(uniqueKeysWithValues: variables.enumerated().map { ($0.element, "value\($0.offset)") })
    let flags = [ConfigurationFlag(name: "--set", key: flag, value: "x")]
    let notices = try ConfigurationText.load(minimal, environment: environment, flags: flags).notices
    #expect(notices.allSatisfy { $0.key == key && $0.code == .ignoredKey && $0.severity == .note }, "\(notices)")
    #expect(notices.map { $0.origin?.description } == variables.sorted() + ["--set"])
  }

  @Test func listEntriesByIndex() throws {
    let environment = [
      "EXECUTOR_AVS_PERFORMERS_1_AVS_ADDRESS": "0x5555555555555555555555555555555555555555",
      "EXECUTOR__AVSPERFORMERS_0_CONCURRENCY": "5",
      "EXECUTOR_L1_CHAIN_RPC_URL": "http://rpc.test",
    ]
    let text = minimal + "avsPerformers: [{avsAddress: '0x4444444444444444444444444444444444444444', concurrency: 2}]\n"
    let config = try ConfigurationText.load(text, environment: environment).config
    #expect(config.avs.map(\.concurrency) == [5, 8])
    #expect(config.avs[1].address == EthereumAddress(hex: "0x5555555555555555555555555555555555555555"))
  }

  @Test func moreThanTenEntriesKeepTheirOrder() throws {
    var environment = ["EXECUTOR_L1_CHAIN_RPC_URL": "http://rpc.test"]
    let addresses = (0..<12).map { "0x" + String(repeating: "0", count: 38) + (10 + $0).description }
    for (index, address) in addresses.enumerated() { environment["EXECUTOR_AVS_PERFORMERS_\(index)_AVS_ADDRESS"] = address }
    let config = try ConfigurationText.load(minimal, environment: environment).config
    #expect(config.avs.map(\.address.description) == addresses)
  }

  @Test func listEntriesHaveNoGaps() throws {
    let findings = try ConfigurationText.findings(minimal, environment: ["EXECUTOR_AVS_PERFORMERS_1_CONCURRENCY": "5"])
    let error = try #require(findings.error("avsPerformers[1].concurrency"))
    #expect(error.origin == .variable("EXECUTOR_AVS_PERFORMERS_1_CONCURRENCY"))
  }

  @Test func anEmptyVariableIsNotSet() throws {
    #expect(try ConfigurationText.load(minimal, environment: ["EXECUTOR_GRPC_PORT": ""]).config.taskPort == 9090)
  }

  @Test func variablesThatContradictEachOther() throws {
    let findings = try ConfigurationText.findings(
      minimal, environment: ["EXECUTOR_GRPC_PORT": "1", "EXECUTOR__GRPCPORT": "2"])
    #expect(findings.error("grpcPort")?.code == .conflict)
    let agreeing = ["EXECUTOR_GRPC_PORT": "1", "EXECUTOR__GRPCPORT": "1"]
    #expect(try ConfigurationText.load(minimal, environment: agreeing).config.taskPort == 1)
  }

  @Test func unknownVariablesAreWarnedAboutAndOthersLeftAlone() throws {
    let environment = [
      "EXECUTOR_GRPC_PROT": "1", "EXECUTOR_PORT_9000_TCP_ADDR": "10.0.0.1", "EXECUTOR_SERVICE_HOST": "10.0.0.1", "PATH": "/bin",
    ]
    let notices = try ConfigurationText.load(minimal, environment: environment).notices
    #expect(notices.map(\.origin) == [.variable("EXECUTOR_GRPC_PROT")])
    #expect(notices.first?.cure?.contains("EXECUTOR_GRPC_PORT") == true)
  }

  @Test func unknownFlagKeysAreErrors() throws {
    let findings = try ConfigurationText.findings(
      minimal, flags: [ConfigurationFlag(name: "--set", key: "operations.prot", value: "1")])
    #expect(findings.first?.origin == .flag("--set"))
    #expect(findings.first?.cure?.contains("operations.port") == true)
  }

  @Test func theEnvironmentAloneIsEnough() throws {
    let environment = [
      "EXECUTOR_OPERATOR_ADDRESS": "0x1111111111111111111111111111111111111111",
      "EXECUTOR_OPERATOR_SIGNING_KEYS_ECDSA_PRIVATE_KEY": String(repeating: "3", count: 64),
      "EXECUTOR_L1_CHAIN_CHAIN_ID": "31337",
    ]
    let loaded = try ConfigurationLoader.load(file: nil, environment: environment)
    #expect(loaded.file == nil)
    #expect(loaded.config.chain.chainID == 31337)
  }

  @Test func theFileMayBeNamedByAVariable() throws {
    let path = ConfigurationText.sample("hgctl.yaml")
    let loaded = try ConfigurationLoader.load(file: nil, environment: ["EXECUTOR_CONFIG_PATH": path])
    #expect(loaded.file == path)
  }

  @Test func secretsFromFiles() throws {
    let key = String(repeating: "3", count: 64)
    try ConfigurationText.withFile(key + "\n") { path in
      let text = minimal.replacing("privateKey: \"0x\(key)\"", with: "privateKeyFile: \(path)")
      #expect(text != minimal)
      let fromFile = try ConfigurationText.load(text)
      #expect(fromFile.config.identity.ecdsaKey == .hex(SecretBytes(text: key)))
      // A variable that names a file beats a value in the configuration file.
      let other = minimal.replacing("3333", with: "4444")
      let environment = ["EXECUTOR_OPERATOR_SIGNING_KEYS_ECDSA_PRIVATE_KEY_FILE": path]
      let fromVariable = try ConfigurationText.load(other, environment: environment)
      #expect(fromVariable.config.identity.ecdsaKey == .hex(SecretBytes(text: key)))
    }
  }

  @Test(arguments: [" two words \r\n", " two words \n\n", " two words "])
  func passwordsKeepTheirSpacesAndLoseTheirLineBreaks(content: String) throws {
    try ConfigurationText.withFile(content) { path in
      let text = ConfigurationText.sample("hgctl.yaml")
      let environment = ["EXECUTOR_OPERATOR_SIGNING_KEYS_BLS_PASSWORD_FILE": path]
      let key = try ConfigurationLoader.load(file: text, environment: environment).config.identity.bn254Key
      guard case .keystoreFile(_, let password) = key else {
        Issue.record("the keystore was not taken")
        return
      }
      #expect(password == SecretBytes(text: " two words "))
    }
  }

  @Test func aVariableWithAKeyBeatsAKeystoreOfTheFile() throws {
    let key = String(repeating: "3", count: 64)
    let loaded = try ConfigurationLoader.load(
      file: ConfigurationText.sample("hgctl.yaml"), environment: ["EXECUTOR_OPERATOR_SIGNING_KEYS_ECDSA_PRIVATE_KEY": key])
    #expect(loaded.config.identity.ecdsaKey == .hex(SecretBytes(text: key)))
  }

  @Test func aURLFromAFile() throws {
    try ConfigurationText.withFile("https://rpc.test/v1/key\n") { path in
      let config = try ConfigurationText.load(minimal, environment: ["EXECUTOR_L1_CHAIN_RPC_URL_FILE": path]).config
      #expect(config.chain.rpcURLs == ["https://rpc.test/v1/key"])
    }
  }

  @Test func aSecretFileThatIsNotThere() throws {
    let findings = try ConfigurationText.findings(
      minimal, environment: ["EXECUTOR_OPERATOR_SIGNING_KEYS_ECDSA_PRIVATE_KEY_FILE": "/nonexistent/key"])
    let error = try #require(findings.error("operator.signingKeys.ecdsa.privateKeyFile"))
    #expect(error.code == .unreadableSecret)
    #expect(error.origin == .variable("EXECUTOR_OPERATOR_SIGNING_KEYS_ECDSA_PRIVATE_KEY_FILE"))
  }

  @Test func secretAndFileInOneLayerAreAConflict() throws {
    let text = minimal.replacing("      privateKey:", with: "      privateKeyFile: /x\n      privateKey:")
    #expect(try ConfigurationText.findings(text).error("operator.signingKeys.ecdsa.privateKeyFile")?.code == .conflict)
  }
}
