import Foundation
import PonosCore
import Testing
@testable import PonosConfiguration

/// What is wrong is said completely, with key, place and cure, and without secrets.
@Suite struct FindingsTests {
  private let minimal = ConfigurationText.minimal

  @Test func allErrorsComeTogetherWithTheirPlace() throws {
    let text = """
      grpcPort: ninety
      operator:
        address: "0x12"
        signingKeys:
          ecdsa: {privateKey: "0x33"}
      l1Chain:
        chainId: 5
      avsPerformers:
        - processType: job
          taskTimeout: 90
          resources: {memory: 512m}
      """
    let findings = try ConfigurationText.findings(text, environment: ["EXECUTOR_OPERATIONS_PORT": "99999"])
    let lines = Dictionary(
      findings.filter { $0.severity == .error }.map { ($0.key, $0.origin) }, uniquingKeysWith: { first, _ in first })
    func line(_ key: String) -> Int? {
      if case .file(_, let line) = lines[key] ?? nil { line } else { nil }
    }
    #expect(line("grpcPort") == 1)
    #expect(line("operator.address") == 3)
    #expect(line("operator.signingKeys.ecdsa.privateKey") == 5)
    #expect(line("l1Chain.chainId") == 7)
    #expect(line("avsPerformers[0].avsAddress") == 9)
    #expect(line("avsPerformers[0].processType") == 9)
    #expect(line("avsPerformers[0].taskTimeout") == 10)
    #expect(line("avsPerformers[0].resources.memory") == 11)
    #expect(lines["operations.port"] == .variable("EXECUTOR_OPERATIONS_PORT"))
    #expect(findings.filter { $0.severity == .error }.allSatisfy { $0.cure != nil })
    // Sorted by line, variables after the file.
    #expect(findings.first?.key == "grpcPort")
  }

  @Test(arguments: ["host", "HOST", "none", "container:abc", "ns:/run/netns/x", "-x", "a b"])
  func networksThatUndoTheIsolationAreRefused(name: String) throws {
    let findings = try ConfigurationText.findings("performerNetworkName: \"\(name)\"\n" + minimal)
    #expect(findings.error("performerNetworkName")?.cure?.contains("bridge network") == true)
  }

  @Test(arguments: ["", "performers", "hourglass-local_hourglass-network", "Net.1", "none-of-yours"])
  func networksOfOperatorsAreTaken(name: String) throws {
    let config = try ConfigurationText.load("performerNetworkName: \"\(name)\"\n" + minimal).config
    #expect(config.performerNetworkName == (name.isEmpty ? nil : name))
  }

  @Test func aQueueWithFewerPlacesThanAVSsIsWarnedOf() throws {
    let address = "0x" + String(repeating: "9", count: 40)
    let registry = """
      {executorOperatorSets: [{id: 0, curve: ecdsa}], \
      aggregators: [{address: "\(address)", curve: ecdsa, signingAddress: "\(address)"}]}
      """
    let entries = (1...3).map { "  - {avsAddress: \"0x\(String(repeating: "\($0)", count: 40))\", registry: \(registry)}\n" }
    func warning(_ places: Int) throws -> ConfigurationFinding? {
      try ConfigurationText.load("queue: {maxTotal: \(places)}\n" + minimal + "avsPerformers:\n" + entries.joined())
        .notices.about("queue.maxTotal").first
    }
    #expect(try warning(2)?.severity == .warning)
    #expect(try warning(3) == nil)
  }

  @Test func descriptionsAreOneLine() throws {
    let findings = try ConfigurationText.findings("grpcPort: x\noperator: 1\n")
    for finding in findings { #expect(!finding.description.contains("\n")) }
    let first = try #require(findings.first)
    #expect(first.description.hasSuffix("executor.yaml:1: error: grpcPort: 'x' is not a whole number; write digits only"))
  }

  @Test func missingKeysAreNamedWithTheirVariable() throws {
    let findings = try ConfigurationText.findings("")
    #expect(Set(findings.map(\.key)) == ["operator.address", "operator.signingKeys", "l1Chain.chainId"])
    #expect(findings.error("operator.address")?.cure?.contains("EXECUTOR_OPERATOR_ADDRESS") == true)
    do {
      _ = try ConfigurationLoader.load(file: nil, environment: [:])
      Issue.record("an empty configuration was accepted")
    } catch {
      #expect(error.errors.allSatisfy { $0.cure?.contains("--config") == true })
    }
  }

  @Test(arguments: [
    ("grpcProt: 1", "grpcProt", "grpcPort"), ("Operations: {prot: 1}", "operations.prot", "port"),
    ("keystoreFile: x", "keystoreFile", "operator.signingKeys.ecdsa.keystore.keystoreFile"),
    ("nothingLikeIt: 1", "nothingLikeIt", nil),
  ])
  func unknownKeysAreWarnedAbout(text: String, key: String, guess: String?) throws {
    let notices = try ConfigurationText.load(minimal + text).notices
    let notice = try #require(notices.first { $0.code == .unknownKey })
    #expect(notice.key == key)
    #expect(notice.severity == .warning)
    #expect(notice.origin.map { "\($0)".hasSuffix(":9") } == true)
    if let guess { #expect(notice.cure == "did you mean '\(guess)'?") } else { #expect(notice.cure == nil) }
  }

  @Test(arguments: [
    ("grpcPort: [1]", "grpcPort"), ("queue: 5", "queue"), ("avsPerformers: {a: b}", "avsPerformers"),
    ("avsPerformers: [5]", "avsPerformers[0]"), ("storage: []", "storage"), ("operations: {port: {a: 1}}", "operations.port"),
    ("operations: {address: localhost}", "operations.address"), ("storage: {type: postgres}", "storage.type"),
    ("queue: {maxPerAvs: 0}", "queue.maxPerAvs"), ("debug: maybe", "debug"), ("listenAddress: '::1'", "listenAddress"),
    ("contracts: {ecdsaCertificateVerifier: 5}", "contracts.ecdsaCertificateVerifier"),
    ("storage: {retention: 7}", "storage.retention"), ("storage: {digestRetention: 24h}", "storage.digestRetention"),
    ("storage: {retention: 2000h, digestRetention: 1000h}", "storage.digestRetention"),
    ("storage: {backup: {every: 1h}}", "storage.backup.directory"),
    ("storage: {backup: {directory: /b, keep: 0}}", "storage.backup.keep"),
    ("grpcPort: ${EXECUTOR_SERVICE_PORT:-9090}", "grpcPort"), ("grpcPort: 65536", "grpcPort"), ("grpcPort: -1", "grpcPort"),
  ])
  func wrongValues(text: String, key: String) throws {
    let base = minimal.replacing("grpcPort: 9090", with: "debug: false")
    let findings = try ConfigurationText.findings((text.hasPrefix("debug") ? minimal : base) + text + "\n")
    #expect(findings.error(key) != nil, "\(findings)")
  }

  @Test func unsupportedThingsAreSaid() throws {
    let remote = minimal.replacing("      privateKey:", with: "      remoteSigner: true\n      privateKey:")
    #expect(try ConfigurationText.findings(remote).error("operator.signingKeys.ecdsa.useRemoteSigner")?.code == .unsupported)
    let kubernetes =
      minimal + "avsPerformers: [{avsAddress: '0x4444444444444444444444444444444444444444', deploymentMode: kubernetes}]\n"
    #expect(try ConfigurationText.findings(kubernetes).error("avsPerformers[0].deploymentMode")?.code == .unsupported)
  }

  @Test func anAVSNeedsARegistryOrAnEndpoint() throws {
    let text = minimal + "avsPerformers: [{avsAddress: '0x4444444444444444444444444444444444444444'}]\n"
    let error = try #require(try ConfigurationText.findings(text).error("avsPerformers[0]"))
    #expect(error.message.contains("neither a registry nor an endpoint"))
    #expect(error.cure?.contains("registry") == true && error.cure?.contains("l1Chain.rpcUrl") == true)
  }

  @Test func unknownChainsNeedAVerifier() throws {
    let text = minimal.replacing("31337", with: "17000")
    #expect(try ConfigurationText.findings(text).error("l1Chain.chainId")?.cure?.contains("ecdsaCertificateVerifier") == true)
  }

  @Test func noKeyAtAll() throws {
    let text =
      "operator: {address: '0x1111111111111111111111111111111111111111', signingKeys: {ecdsa: {}}}\nl1Chain: {chainId: 1}\n"
    #expect(try ConfigurationText.findings(text).error("operator.signingKeys")?.code == .missingKey)
  }

  @Test(arguments: [
    ("executorOperatorSets: []", "avsPerformers[0].registry.executorOperatorSets"),
    ("executorOperatorSets: [{id: 1, curve: bn254}]", "avsPerformers[0].registry.executorOperatorSets[0]"),
    (
      "executorOperatorSets: [{id: 1, curve: ecdsa}, {id: 1, curve: ecdsa}]",
      "avsPerformers[0].registry.executorOperatorSets[1].id"
    ),
    ("executorOperatorSets: [{id: 1, curve: p256}]", "avsPerformers[0].registry.executorOperatorSets[0].curve"),
    ("executorOperatorSets: [{id: -1, curve: ecdsa}]", "avsPerformers[0].registry.executorOperatorSets[0].id"),
    ("aggregators: []", "avsPerformers[0].registry.aggregators"),
    (
      "aggregators: [{address: '0x5555555555555555555555555555555555555555', curve: ecdsa}]",
      "avsPerformers[0].registry.aggregators[0].signingAddress"
    ),
    (
      "aggregators: [{address: '0x5555555555555555555555555555555555555555', curve: bn254}]",
      "avsPerformers[0].registry.aggregators[0].publicKey"
    ),
  ])
  func registries(line: String, key: String) throws {
    let sets = "executorOperatorSets: [{id: 1, curve: ecdsa}]"
    let aggregators =
      "aggregators: [{address: '0x5555555555555555555555555555555555555555', curve: ecdsa, signingAddress: '0x6666666666666666666666666666666666666666'}]"
    let other = line.hasPrefix("aggregators") ? sets : aggregators
    let text =
      minimal + "avsPerformers:\n  - avsAddress: '0x4444444444444444444444444444444444444444'\n"
      + "    registry:\n      \(line)\n      \(other)\n"
    #expect(try ConfigurationText.findings(text).error(key) != nil)
  }

  @Test func publicKeysMustBePointsOfTheCurve() throws {
    let complete = try String(contentsOfFile: ConfigurationText.sample("complete.yaml"), encoding: .utf8)
    let broken = complete.replacing("0x198e", with: "0x198f")
    let findings = try ConfigurationText.findings(broken)
    #expect(findings.error("avsPerformers[0].registry.aggregators[1].publicKey") != nil)
  }

  @Test func portsMustDiffer() throws {
    #expect(try ConfigurationText.findings(minimal + "operations: {port: 9090}\n").error("operations.port")?.code == .conflict)
  }

  @Test func twoEntriesOfOneAVS() throws {
    let complete = try String(contentsOfFile: ConfigurationText.sample("complete.yaml"), encoding: .utf8)
    let twice = complete.replacing("7777777777777777777777777777777777777777", with: "4444444444444444444444444444444444444444")
    #expect(try ConfigurationText.findings(twice).error("avsPerformers[1].avsAddress")?.code == .conflict)
  }

  @Test(arguments: [
    "a: [1", "a: \"b", "\t- x", "a: b: c", "- 1", "just text", "a: 1\na: 2", "? [a]\n: 1", "a: *nowhere", "a: 1\n---\nb: 2",
  ])
  func brokenSyntax(text: String) throws {
    let findings = try ConfigurationText.findings(text)
    #expect(findings.contains { $0.severity == .error })
    #expect(findings.allSatisfy { $0.origin != nil || $0.code == .missingKey })
  }

  @Test func aliasesThatMultiplyAreStopped() throws {
    var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for level in 1...8 {
      text += "a\(level): &a\(level) [\(Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", "))]\n"
    }
    #expect(try ConfigurationText.findings(text).count { $0.code == .invalidSyntax } == 1)
  }

  /// A file may meet the limit thousands of times; it is said once.
  @Test(.timeLimit(.minutes(1))) func tooManyValuesAreOneFinding() throws {
    let text = "a:\n" + String(repeating: "- x\n", count: 103_000)
    #expect(try ConfigurationText.findings(text).count { $0.code == .invalidSyntax } == 1)
  }

  @Test func missingKeystoresAreErrorsWhereTheyAreNeeded() throws {
    let file = ConfigurationText.sample("hgctl.yaml")
    #expect {
      _ = try ConfigurationLoader.load(file: file, environment: [:], keystores: .mustBeThere)
    } throws: { error in
      let errors = (error as? ConfigurationErrors)?.errors ?? []
      return errors.map(\.code) == [.unreadableSecret, .unreadableSecret]
        && errors.map(\.key) == [
          "operator.signingKeys.bls.keystoreFile", "operator.signingKeys.ecdsa.keystore.keystoreFile",
        ]
    }
  }

  @Test(arguments: ["/nonexistent/executor.yaml", "/tmp"])
  func unreadableFiles(path: String) {
    #expect {
      _ = try ConfigurationLoader.load(file: path, environment: [:])
    } throws: { error in
      (error as? ConfigurationErrors)?.findings.map(\.code) == [.unreadableFile]
    }
  }

  @Test func binaryFilesAreRefused() throws {
    let file = FileManager.default.temporaryDirectory.appending(path: "ponos-config-\(UUID().uuidString)")
    try Data([0xff, 0xfe, 0x00, 0x80]).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    #expect {
      _ = try ConfigurationLoader.load(file: file.path(percentEncoded: false), environment: [:])
    } throws: { error in
      (error as? ConfigurationErrors)?.findings.map(\.code) == [.unreadableFile]
    }
  }
}
