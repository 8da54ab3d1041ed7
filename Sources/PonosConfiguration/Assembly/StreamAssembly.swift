import PonosCore

/// Task streams and the aggregators to dial.
extension ConfigurationAssembly {
  func streams() -> StreamConfig {
    let section = root.section("streams")
    var config = StreamConfig()
    config.heartbeat = section[StreamKeys.heartbeat]
    config.maxCredit = section[StreamKeys.maxCredit]
    config.maxUnacknowledged = section[StreamKeys.maxUnacknowledged]
    return config
  }

  func aggregators(_ avs: [AVSConfig]) -> [AggregatorConfig] {
    var aggregators: [AggregatorConfig] = []
    for entry in root.entries("aggregators") {
      guard let endpoint = entry.endpoint("address"), let avsAddress = entry.address("avsAddress"),
        let aggregatorAddress = entry.address("aggregatorAddress")
      else { continue }
      let party = StreamParty(aggregator: aggregatorAddress, avs: avsAddress)
      reportDoubleParty(entry, party, among: aggregators)
      reportUnknownParty(entry, party, avs)
      aggregators.append(AggregatorConfig(host: endpoint.host, port: endpoint.port, party: party))
    }
    return aggregators
  }

  /// Two sessions of one party would supersede each other for ever.
  private func reportDoubleParty(_ entry: ConfigurationSection, _ party: StreamParty, among others: [AggregatorConfig]) {
    guard others.contains(where: { $0.party == party }) else { return }
    report.add(
      .error, .conflict, key: entry.path, origin: entry.node?.origin,
      "aggregator \(party.aggregator) is listed twice for AVS \(party.avs); there is one session for both",
      cure: "keep one of the entries")
  }

  private func reportUnknownParty(_ entry: ConfigurationSection, _ party: StreamParty, _ avs: [AVSConfig]) {
    guard let config = avs.first(where: { $0.address == party.avs }) else {
      return report.add(
        .error, .invalidValue, key: entry.path.appending(key: "avsAddress"), origin: entry.origin("avsAddress"),
        "no entry of avsPerformers has this AVS", cure: "add one")
    }
    guard let registry = config.registry, !registry.aggregators.contains(where: { $0.address == party.aggregator }) else {
      return
    }
    report.add(
      .error, .invalidValue, key: entry.path.appending(key: "aggregatorAddress"), origin: entry.origin("aggregatorAddress"),
      "the registry of AVS \(party.avs) has no such aggregator, so it could not prove itself",
      cure: "add it to avsPerformers[].registry.aggregators")
  }
}
