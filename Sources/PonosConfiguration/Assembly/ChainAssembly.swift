import PonosCore
import PonosCrypto

/// The chain that is read, and the contracts on it.
extension ConfigurationAssembly {
  func chain(_ avs: [AVSConfig]?) -> ChainConfig? {
    let section = root.section("l1Chain")
    let urls = endpoints(section)
    guard let verifier = verifier(section), let id = section.integer("chainId") else { return nil }
    var config = ChainConfig(chainID: UInt64(id), rpcURLs: urls, ecdsaCertificateVerifier: verifier)
    config.caFile = section.text("caFile")
    config.agreement = section.integer("agreement") ?? config.agreement
    config.maxBlockAge = section.duration("maxBlockAge") ?? config.maxBlockAge
    config.rotationGrace = section.integer("rotationGrace").map(UInt64.init) ?? config.rotationGrace
    config.maxStale = section.duration("maxStale") ?? config.maxStale
    let contracts = root.section("contracts")
    config.allocationManager = contracts.address("allocationManager") ?? config.allocationManager
    config.keyRegistrar = contracts.address("keyRegistrar") ?? config.keyRegistrar
    config.taskMailbox = mailbox(root.section("taskMailbox"), l1: UInt64(id))
    checkAgreement(section, config)
    for (index, avs) in (avs ?? []).enumerated() { check(avs, at: index, config) }
    return config
  }

  // MARK: Endpoints

  /// A single URL first, then the list; either may be in a file.
  private func endpoints(_ section: ConfigurationSection) -> [String] {
    let single =
      section.strongest(of: ["rpcUrl", "rpcUrlFile"]) == "rpcUrlFile"
      ? fileURLs(section, "rpcUrlFile").prefix(1) : (section.text("rpcUrl").map { [$0] } ?? [])[...]
    let list =
      section.strongest(of: ["rpcUrls", "rpcUrlsFile"]) == "rpcUrlsFile"
      ? fileURLs(section, "rpcUrlsFile") : section.text("rpcUrls").map(ScalarText.urls) ?? []
    var seen: Set<String> = []
    return (single + list).filter { seen.insert($0).inserted }
  }

  private func fileURLs(_ section: ConfigurationSection, _ key: String) -> [String] {
    guard let content = secrets.content(of: section, key) else { return [] }
    let text: String? = content.withUnsafeBytes { String(validating: $0, as: UTF8.self) }
    let urls = text.map(ScalarText.urls) ?? []
    guard !urls.isEmpty, urls.allSatisfy(ScalarText.isURL) else {
      let what = key == "rpcUrlFile" ? "a URL" : "a list of URLs"
      report.add(
        .error, .invalidValue, key: section.path.appending(key: key), origin: section.origin(key),
        "the content of the file is not \(what)", cure: "write one such as https://rpc.example.org into it")
      return []
    }
    return urls
  }

  private func checkAgreement(_ section: ConfigurationSection, _ config: ChainConfig) {
    guard config.agreement > max(1, config.rpcURLs.count) else { return }
    report.add(
      .error, .conflict, key: section.path.appending(key: "agreement"), origin: section.origin("agreement"),
      "\(config.agreement) endpoints cannot agree where \(config.rpcURLs.count) are configured",
      cure: "add endpoints to rpcUrls or lower it")
  }

  // MARK: Contracts

  private func verifier(_ section: ConfigurationSection) -> EthereumAddress? {
    let contracts = root.section("contracts")
    if contracts.isGiven("ecdsaCertificateVerifier") { return contracts.address("ecdsaCertificateVerifier") }
    guard let id = section.integer("chainId") else { return nil }
    if let known = CertificateVerifiers.ecdsaAddress(chainID: UInt64(id)) { return known }
    report.add(
      .error, .invalidValue, key: section.path.appending(key: "chainId"), origin: section.origin("chainId"),
      "no certificate verifier is known for chain \(id)",
      cure: "use 1, 8453, 11155111, 84532, 31337 or 31338, or give contracts.ecdsaCertificateVerifier")
    return nil
  }

  private func mailbox(_ section: ConfigurationSection, l1: UInt64) -> TaskMailboxConfig? {
    let id = section.integer("chainId").map(UInt64.init) ?? l1
    let urls = section.text("rpcUrls").map(ScalarText.urls) ?? []
    if id != l1, urls.isEmpty {
      report.add(
        .error, .missingKey, key: section.path.appending(key: "rpcUrls"), origin: section.origin("chainId"),
        "is missing for a mailbox on chain \(id)", cure: "add endpoints of that chain")
    }
    let known = EigenLayerDeployment.known(chainID: id)?.taskMailbox
    guard let address = section.address("address") ?? known else { return nil }
    return TaskMailboxConfig(chainID: id, rpcURLs: urls, address: address)
  }

  // MARK: What AVSs need

  /// Without a registry an AVS needs endpoints and contracts to ask.
  private func check(_ avs: AVSConfig, at index: Int, _ config: ChainConfig) {
    guard avs.needsChain else { return }
    let entry = root.section("avsPerformers").path.appending(.index(index))
    let origin = root.entries("avsPerformers")[index].node?.origin
    func report(_ problem: String, cure: String) {
      self.report.add(.error, .missingKey, key: entry, origin: origin, problem, cure: cure)
    }
    if config.rpcURLs.isEmpty {
      report("has neither a registry nor an endpoint to read one from", cure: "add l1Chain.rpcUrl, or 'registry' to this entry")
    } else if !config.rpcURLs.allSatisfy(ScalarText.isHTTP) {
      report("needs endpoints that are asked over HTTP", cure: "write http:// or https:// in l1Chain.rpcUrls")
    }
    if avs.registry == nil, config.allocationManager == nil || config.keyRegistrar == nil {
      report(
        "has no registry, and EigenLayer's contracts on chain \(config.chainID) are not known",
        cure: "add contracts.allocationManager and contracts.keyRegistrar, or 'registry' to this entry")
    }
    if avs.taskCheck != .none, config.taskMailbox == nil {
      report("wants its tasks checked, and no mailbox is known", cure: "add taskMailbox.address, or write 'taskCheck: none'")
    }
  }
}
