import PonosCore
import PonosCrypto

/// The static registry of an AVS.
extension ConfigurationAssembly {
  /// What the file says in place of the chain; nil after something was reported.
  ///
  /// - Parameter entry: The entry of the AVS, which may have keys of its own.
  func registry(
    _ section: ConfigurationSection, _ identity: OperatorIdentity?, in entry: ConfigurationSection
  ) -> StaticRegistryConfig? {
    let sets = sets(section, entry.isGiven("signingKeys") || entry.isGiven("operatorSetKeys") ? nil : identity)
    let aggregators = aggregators(section)
    guard let sets, let aggregators else { return nil }
    return StaticRegistryConfig(executorOperatorSets: sets, aggregators: aggregators)
  }

  private func sets(_ section: ConfigurationSection, _ identity: OperatorIdentity?) -> [StaticRegistryConfig.ExecutorSet]? {
    let entries = section.entries("executorOperatorSets")
    reportEmpty(section, "executorOperatorSets", "no task could be accepted")
    var sets: [StaticRegistryConfig.ExecutorSet] = []
    for entry in entries {
      guard let id = entry.integer("id"), let curve = entry.choice("curve").flatMap(SignatureCurve.init(rawValue:)) else {
        continue
      }
      if sets.contains(where: { $0.id == UInt32(id) }) {
        report.add(
          .error, .conflict, key: entry.path.appending(key: "id"), origin: entry.origin("id"), "set \(id) is listed twice",
          cure: "keep one of them")
      }
      reportMissingSigner(entry, id, curve, identity)
      sets.append(StaticRegistryConfig.ExecutorSet(id: UInt32(id), curve: curve))
    }
    return sets.count == entries.count && !sets.isEmpty ? sets : nil
  }

  private func reportMissingSigner(
    _ entry: ConfigurationSection, _ id: Int, _ curve: SignatureCurve, _ identity: OperatorIdentity?
  ) {
    guard let identity else { return }
    let key = curve == .ecdsa ? identity.ecdsaKey : identity.bn254Key
    let name = curve == .ecdsa ? "ecdsa" : "bls"
    guard key == nil, !root.section("operator").section("signingKeys").isGiven(name) else { return }
    report.add(
      .error, .missingKey, key: entry.path, origin: entry.node?.origin,
      "set \(id) signs with \(curve.rawValue), but there is no such signing key", cure: "add operator.signingKeys.\(name)")
  }

  private func aggregators(_ section: ConfigurationSection) -> [StaticRegistryConfig.Aggregator]? {
    let entries = section.entries("aggregators")
    reportEmpty(section, "aggregators", "nobody could submit a task")
    var aggregators: [StaticRegistryConfig.Aggregator] = []
    for entry in entries {
      guard let key = aggregatorKey(entry), let address = entry.address("address") else { continue }
      if aggregators.contains(where: { $0.address == address }) {
        report.add(
          .error, .conflict, key: entry.path.appending(key: "address"), origin: entry.origin("address"),
          "aggregator \(address) is listed twice", cure: "keep one of them")
      }
      aggregators.append(StaticRegistryConfig.Aggregator(address: address, key: key))
    }
    return aggregators.count == entries.count && !aggregators.isEmpty ? aggregators : nil
  }

  private func aggregatorKey(_ entry: ConfigurationSection) -> StaticRegistryConfig.AggregatorKey? {
    switch entry.choice("curve") {
    case "ecdsa":
      reportMissingKey(entry, "signingAddress", curve: "ecdsa")
      return entry.address("signingAddress").map { .ecdsa(signingAddress: $0) }
    case "bn254":
      reportMissingKey(entry, "publicKey", curve: "bn254")
      return publicKey(entry).map { .bn254(publicKey: $0) }
    default:
      return nil
    }
  }

  private func publicKey(_ entry: ConfigurationSection) -> [UInt8]? {
    guard let bytes = entry.text("publicKey").flatMap({ Hex.decode($0) }) else { return nil }
    do {
      _ = try BN254PublicKey(bytes: bytes)
      return bytes
    } catch {
      report.add(
        .error, .invalidValue, key: entry.path.appending(key: "publicKey"), origin: entry.origin("publicKey"),
        error.message, cure: "write the G2 point as X.A1, X.A0, Y.A1, Y.A0, 32 bytes each")
      return nil
    }
  }

  private func reportMissingKey(_ entry: ConfigurationSection, _ key: String, curve: String) {
    guard !entry.isGiven(key) else { return }
    report.add(
      .error, .missingKey, key: entry.path.appending(key: key), origin: entry.node?.origin,
      "is missing for an aggregator of curve \(curve)", cure: "add it")
  }

  private func reportEmpty(_ section: ConfigurationSection, _ key: String, _ consequence: String) {
    guard section.isGiven(key), section.entries(key).isEmpty else { return }
    report.add(
      .error, .missingKey, key: section.path.appending(key: key), origin: section.origin(key), "is empty: \(consequence)",
      cure: "add an entry")
  }
}
