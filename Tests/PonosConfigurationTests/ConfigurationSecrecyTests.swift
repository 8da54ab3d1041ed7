import Testing
@testable import PonosConfiguration

/// Nothing the loader says holds a secret, whatever is wrong with it.
@Suite struct ConfigurationSecrecyTests {
  private let canary = "c4n4ry"

  @Test func errorsHoldNoSecret() throws {
    let text = """
      operator:
        address: "0x1111111111111111111111111111111111111111"
        operatorPrivateKey: {privateKey: "\(canary)"}
        signingKeys:
          ecdsa:
            privateKey: "\(canary)"
            keystore: {password: "\(canary)"}
          bls: {keystore: "\(canary)", password: [\(canary)], privateKey: \(canary)}
      l1Chain: {chainId: 31337, rpcUrl: "not a url \(canary)"}
      avsPerformers:
        - envs: [{name: A, value: {\(canary): 1}}]
      """
    let findings = try ConfigurationText.findings(
      text, environment: ["EXECUTOR_OPERATOR_SIGNING_KEYS_ECDSA_PRIVATE_KEY": "\(canary)2"])
    #expect(findings.count >= 4)
    #expect(!findings.map(\.description).joined().contains(canary))
  }

  /// Every user of a host can read the arguments of its processes.
  @Test func secretsAreRefusedAsArguments() throws {
    for key in ConfigurationSchema.keys where key.isSecret && key.standing == .used {
      let path = key.path.replacing("[]", with: "[0]")
      let findings = try ConfigurationText.findings(
        ConfigurationText.minimal, flags: [ConfigurationFlag(name: "--set", key: path, value: canary)])
      let finding = try #require(findings.first { $0.code == .exposedSecret }, "\(path)")
      #expect(finding.severity == .error && finding.key == path)
      #expect(finding.cure?.contains(VariableResolver.name(of: key.path)) == true)
      #expect(!findings.map(\.description).joined().contains(canary))
    }
    let digits = String(repeating: "3", count: 64)
    let findings = try ConfigurationText.findings(
      ConfigurationText.minimal,
      flags: [ConfigurationFlag(name: "--set", key: "operator.signingKeys.bls.privateKey", value: digits)])
    #expect(findings.first?.cure?.hasPrefix("name a file with operator.signingKeys.bls.privateKeyFile") == true)
  }

  /// A secret in the place of its file's name is not repeated; a path is.
  @Test(arguments: [
    (
      "EXECUTOR_OPERATOR_SIGNING_KEYS_ECDSA_PRIVATE_KEY_FILE",
      "0x3333333333333333333333333333333333333333333333333333333333333333"
    ),
    ("EXECUTOR_OPERATOR_SIGNING_KEYS_BLS_PRIVATE_KEY_FILE", "c4n4ry"),
    ("EXECUTOR_L1_CHAIN_RPC_URL_FILE", "https://rpc.test/v1/c4n4ry"),
  ])
  func secretsInThePlaceOfFilesAreNotQuoted(variable: String, secret: String) throws {
    let text = ConfigurationText.minimal.replacing("3333", with: "4444")
    let findings = try ConfigurationText.findings(text, environment: [variable: secret])
    let finding = try #require(findings.first { $0.code == .unreadableSecret })
    #expect(!findings.map(\.description).joined().contains(secret))
    #expect(finding.cure?.contains("not the secret itself") == true)
    let missing = try ConfigurationText.findings(text, environment: [variable: "/nonexistent/secret"])
    #expect(missing.first { $0.code == .unreadableSecret }?.message.contains("/nonexistent/secret") == true)
  }

  @Test func aKeyInThePlaceOfAKeystoreIsNotQuoted() throws {
    let digits = String(repeating: "5", count: 64)
    let notices = try ConfigurationText.load(
      ConfigurationText.minimal, environment: ["EXECUTOR_OPERATOR_SIGNING_KEYS_BLS_KEYSTORE_FILE": digits]
    ).notices
    #expect(notices.contains { $0.code == .unreadableSecret })
    #expect(!notices.map(\.description).joined().contains(digits))
  }

  @Test(arguments: ["password: \"%", "password: %\n  x: [", "password: '%' trailing", "%: {", "a: b\n%\n", "\"%\" x: 1"])
  func syntaxErrorsQuoteNothing(text: String) throws {
    let findings = try ConfigurationText.findings(text.replacing("%", with: canary))
    #expect(!findings.map(\.description).joined().contains(canary))
  }

  @Test func settingsInEffectAreMasked() throws {
    let text = """
      operator:
        address: "0x1111111111111111111111111111111111111111"
        signingKeys:
          ecdsa: {privateKey: "\(String(repeating: "3", count: 64))"}
          bls: {keystore: "{'\(canary)'}", password: "\(canary)"}
      l1Chain: {chainId: 31337, rpcUrl: "https://user:\(canary)@rpc.test/v1/\(canary)?key=\(canary)"}
      avsPerformers:
        - avsAddress: "0x4444444444444444444444444444444444444444"
          image: {repository: performer, tag: v1}
          envs: [{name: TOKEN, value: "\(canary)"}]
      """
    let loaded = try ConfigurationText.load(text)
    let settings = Dictionary(uniqueKeysWithValues: loaded.settings.map { ($0.key, $0) })
    #expect(!loaded.settings.map { "\($0)" }.joined().contains(canary))
    #expect(settings["operator.signingKeys.ecdsa.privateKey"]?.value == "<secret>")
    #expect(settings["operator.signingKeys.bls.password"]?.value == "<secret>")
    #expect(settings["avsPerformers[0].envs[0].value"]?.value == "<secret>")
    #expect(settings["l1Chain.rpcUrl"]?.value == "https://rpc.test/…")
    #expect(!loaded.notices.map(\.description).joined().contains(canary))
    #expect(!"\(loaded.config.identity)".contains(canary))
  }

  @Test func settingsNameTheirOrigin() throws {
    let loaded = try ConfigurationText.load(
      ConfigurationText.minimal, environment: ["EXECUTOR_OPERATIONS_PORT": "9500"],
      flags: [ConfigurationFlag(name: "--debug", key: "debug", value: "true")])
    let origins = Dictionary(uniqueKeysWithValues: loaded.settings.map { ($0.key, $0.origin) })
    #expect(origins["debug"] == "--debug")
    #expect(origins["operations.port"] == "EXECUTOR_OPERATIONS_PORT")
    #expect(origins["queue.maxTotal"] == "default")
    #expect(origins["l1Chain.chainId"]?.hasSuffix("executor.yaml:8") == true)
    #expect(origins["storage.path"] == "default")
    #expect(origins["operator.signingKeys.bls.password"] == nil)
  }
}
