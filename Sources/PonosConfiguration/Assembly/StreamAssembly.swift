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
      let owner = TaskOwner(aggregator: aggregatorAddress, avs: avsAddress)
      reportDuplicate(entry, owner, among: aggregators)
      reportUnknownAggregator(entry, owner, avs)
      aggregators.append(AggregatorConfig(host: endpoint.host, port: endpoint.port, owner: owner))
    }
    return aggregators
  }

  /// Two sessions of one owner would supersede each other for ever.
  private func reportDuplicate(_ entry: ConfigurationSection, _ owner: TaskOwner, among others: [AggregatorConfig]) {
    guard others.contains(where: { $0.owner == owner }) else { return }
    report.add(
      .error, .conflict, key: entry.path, origin: entry.node?.origin,
      "aggregator \(owner.aggregator) is listed twice for AVS \(owner.avs); there is one session for both",
      cure: "keep one of the entries")
  }

  private func reportUnknownAggregator(_ entry: ConfigurationSection, _ owner: TaskOwner, _ avs: [AVSConfig]) {
    guard let config = avs.first(where: { $0.address == owner.avs }) else {
      return report.add(
        .error, .invalidValue, key: entry.path.appending(key: "avsAddress"), origin: entry.origin("avsAddress"),
        "no entry of avsPerformers has this AVS", cure: "add one")
    }
    guard let registry = config.registry, !registry.aggregators.contains(where: { $0.address == owner.aggregator }) else {
      return
    }
    report.add(
      .error, .invalidValue, key: entry.path.appending(key: "aggregatorAddress"), origin: entry.origin("aggregatorAddress"),
      "the registry of AVS \(owner.avs) has no such aggregator, so it could not prove itself",
      cure: "add it to avsPerformers[].registry.aggregators")
  }
}
