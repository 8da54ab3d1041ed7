import PonosCore

extension ConfigurationSchema {
  /// How tasks of an AVS come in and how they are given to its performers.
  static let dispatchKeys: [ConfigurationKey] =
    [
      AVSKeys.weight.row, AVSKeys.replicas.row, AVSKeys.balancing.row,
    ] + rateKeys("rateLimit", of: "all aggregators together")
    + rateKeys("aggregatorRateLimit", of: "each aggregator") + breakerKeys

  private static func rateKeys(_ name: String, of whom: String) -> [ConfigurationKey] {
    [
      ConfigurationKey(
        "avsPerformers[].\(name)", .group, absent: "no limit",
        "How often \(whom) may submit tasks of the AVS. More are refused with RESOURCE_EXHAUSTED, and told when to come again."),
      ConfigurationKey(
        "avsPerformers[].\(name).perSecond", .number(0.001...1_000_000), required: true, "Submissions a second, in the long run."),
      ConfigurationKey(
        "avsPerformers[].\(name).burst", .integer(1...1_000_000), absent: "`perSecond`, rounded up",
        "Submissions that may come at once after a pause."),
    ]
  }

  private static let breakerKeys: [ConfigurationKey] = [
    ConfigurationKey(
      "avsPerformers[].circuitBreaker", .group,
      "When a performer that cannot be reached, breaks off or does not answer is left alone for a while. Errors it answers do not count, "
        + "nor timeouts of runs that had less than half of `taskTimeout`."),
    BreakerKeys.isEnabled.row, BreakerKeys.consecutiveFailures.row, BreakerKeys.failureRatio.row, BreakerKeys.window.row,
    BreakerKeys.openTime.row, BreakerKeys.probes.row,
  ]
}
