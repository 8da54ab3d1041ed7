import PonosCore

/// How tasks of an AVS come in and how they are given to its performers.
extension ConfigurationAssembly {
  func readDispatch(_ entry: ConfigurationSection, into config: inout AVSConfig) {
    config.weight = entry[AVSKeys.weight]
    config.replicas = entry[AVSKeys.replicas]
    config.balancing = entry[AVSKeys.balancing]
    config.submissionLimits = SubmissionLimits(
      perAVS: rateLimit(entry.section("rateLimit")), perAggregator: rateLimit(entry.section("aggregatorRateLimit")))
    config.circuitBreaker = circuitBreaker(entry.section("circuitBreaker"), taskTimeout: config.taskTimeout)
  }

  private func rateLimit(_ section: ConfigurationSection) -> RateLimit? {
    guard section.isPresent, let perSecond = section.number("perSecond") else { return nil }
    return RateLimit(perSecond: perSecond, burst: section.integer("burst") ?? Int(perSecond.rounded(.up)))
  }

  private func circuitBreaker(_ section: ConfigurationSection, taskTimeout: Duration) -> CircuitBreaker.Settings {
    var settings = CircuitBreaker.Settings.standard
    settings.consecutiveFailures = section[BreakerKeys.isEnabled] ? section[BreakerKeys.consecutiveFailures] : nil
    settings.failureRatio = section[BreakerKeys.failureRatio]
    settings.window = section[BreakerKeys.window]
    settings.openTime = section[BreakerKeys.openTime]
    settings.probes = section[BreakerKeys.probes]
    settings.fairTime = taskTimeout / 2
    return settings
  }
}
