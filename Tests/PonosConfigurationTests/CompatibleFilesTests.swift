import PonosCore
import PonosCrypto
import Testing
@testable import PonosConfiguration

/// Files written for the public executor are read, with what they mean.
@Suite struct CompatibleFilesTests {
  @Test func fileOfHgctl() throws {
    let loaded = try ConfigurationLoader.load(file: ConfigurationText.sample("hgctl.yaml"), environment: [:])
    let config = loaded.config
    #expect(config.debug)
    #expect(config.taskPort == 9090)
    #expect(config.managementPort == 9091)
    #expect(config.performerNetworkName == "hourglass-local_hourglass-network")
    #expect(config.storage == .memory)
    #expect(!config.managementAuthentication)
    #expect(config.avs.isEmpty)
    #expect(
      config.identity.ecdsaKey
        == .keystoreFile(
          path: "/nonexistent/keystores/system.ecdsa.json", password: SecretBytes(text: "public-test-password")))
    #expect(
      config.identity.bn254Key
        == .keystoreFile(path: "/nonexistent/keystores/system.bn254.json", password: SecretBytes(text: "")))
    #expect(loaded.notices.about("operator.operatorPrivateKey").map(\.severity) == [.note])
    #expect(loaded.notices.about("operator.signingKeys.bls.keystoreFile").map(\.code) == [.unreadableSecret])
    #expect(!loaded.notices.contains { $0.code == .unknownKey })
  }

  @Test func fileOfTheAVSTemplate() throws {
    let loaded = try ConfigurationLoader.load(file: ConfigurationText.sample("avs-template.yaml"), environment: [:])
    let avs = try #require(loaded.config.avs.first)
    #expect(loaded.config.managementPort == 8081)
    #expect(loaded.config.chain.chainID == 31337)
    #expect(avs.performer?.image == ImageReference(repository: "avs-performer", tag: "latest", digest: nil))
    #expect(
      avs.performer?.environment == [
        EnvironmentVariable(name: "L1_RPC_URL", source: .literal("http://host.docker.internal:8545")),
        EnvironmentVariable(name: "L2_RPC_URL", source: .executorEnvironment("L2_RPC_URL")),
      ])
    // Without a registry the chain is read, which is nothing to warn of.
    #expect(loaded.notices.about("avsPerformers[0]").isEmpty && loaded.config.avs[0].needsChain)
    #expect(!loaded.notices.contains { $0.code == .unknownKey })
    let ignored = loaded.notices.filter { $0.code == .ignoredKey }.map(\.key)
    #expect(ignored.contains("avsPerformers[0].workerCount"))
    #expect(ignored.contains("overrideContracts"))
  }

  @Test func fileOfTheHelmChart() throws {
    let loaded = try ConfigurationLoader.load(file: ConfigurationText.sample("helm.yaml"), environment: [:])
    #expect(loaded.config.taskPort == 9000)
    #expect(loaded.config.managementPort == 9001)
    #expect(loaded.config.managementAuthentication, "authConfig.isEnabled is the spelling the public binary obeys")
    #expect(loaded.config.storage == .sqlite(path: "/data/badger/executor.db"))
    #expect(loaded.config.avs.isEmpty)
    guard case .keystoreText = loaded.config.identity.bn254Key else {
      Issue.record("the keystore text was not taken")
      return
    }
    #expect(!loaded.notices.contains { $0.code == .unknownKey })
  }

  @Test(arguments: [
    ("authentication: {enabled: true}", true), ("authConfig: {isEnabled: true}", true),
    ("AUTHENTICATION: {Enabled: 'true'}", true), ("authconfig: {isenabled: 1}", true),
    ("authentication: {enabled: false}", false), ("authentication:", false), ("authentication: {enabled: }", false),
  ])
  func bothSpellingsInAnyCase(text: String, expected: Bool) throws {
    #expect(try ConfigurationText.load(ConfigurationText.minimal + text).config.managementAuthentication == expected)
  }

  @Test func spellingsThatContradictEachOtherAreAnError() throws {
    let findings = try ConfigurationText.findings(
      ConfigurationText.minimal + "authentication: {enabled: false}\nauthConfig: {isEnabled: true}\n")
    #expect(findings.error("authentication.enabled")?.code == .conflict)
    let agreeing = ConfigurationText.minimal + "authentication: {enabled: true}\nauthConfig: {isEnabled: true}\n"
    #expect(try ConfigurationText.load(agreeing).config.managementAuthentication)
  }

  @Test func readsJSON() throws {
    let json = """
      {
      \t"grpcPort": "9099", "l1Chain": {"chainId": 1},
      \t"operator": {"address": "0x1111111111111111111111111111111111111111", "signingKeys": {"ecdsa": {
      \t\t"privateKey": "3333333333333333333333333333333333333333333333333333333333333333"}}},
      \t"avsPerformers": null
      }
      """
    let config = try ConfigurationText.load(json, name: "executor.json").config
    #expect(config.taskPort == 9099)
    #expect(config.chain.ecdsaCertificateVerifier == EthereumAddress(hex: "0xd0930ee96D07de4F9d493c259232222e46B6EC25"))
  }

  @Test func mergesAnchors() throws {
    let text =
      ConfigurationText.minimal + """
        avsPerformers:
          - &first
            avsAddress: "0x4444444444444444444444444444444444444444"
            concurrency: 2
            registry: &registry
              executorOperatorSets: [{id: 1, curve: ecdsa}]
              aggregators:
                - {address: "0x5555555555555555555555555555555555555555", curve: ecdsa, signingAddress: "0x6666666666666666666666666666666666666666"}
          - <<: *first
            avsAddress: "0x7777777777777777777777777777777777777777"
        """
    let config = try ConfigurationText.load(text).config
    #expect(config.avs.map(\.concurrency) == [2, 2])
    #expect(config.avs[1].registry == config.avs[0].registry)
  }
}
