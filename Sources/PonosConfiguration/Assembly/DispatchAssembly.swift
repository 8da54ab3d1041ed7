import PonosCore

/// How tasks of an AVS come in and how they are given to its performers.
extension ConfigurationAssembly {
  func readDispatch(_ entry: ConfigurationSection, into config: inout AVSConfig) {
    config.weight = entry.integer("weight") ?? config.weight
    config.replicas = entry.integer("replicas") ?? config.replicas
    config.balancing = entry.choice("balancing").flatMap(LoadBalancing.init(rawValue:)) ?? config.balancing
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
    settings.consecutiveFailures =
      section.boolean("enabled") == false ? nil : section.integer("consecutiveFailures") ?? settings.consecutiveFailures
    settings.failureRatio = section.number("failureRatio") ?? settings.failureRatio
    settings.window = section.integer("window") ?? settings.window
    settings.openTime = section.duration("openTime") ?? settings.openTime
    settings.probes = section.integer("probes") ?? settings.probes
    settings.fairTime = taskTimeout / 2
    return settings
  }
}
