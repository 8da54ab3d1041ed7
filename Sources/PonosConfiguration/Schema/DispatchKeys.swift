import PonosCore

extension ConfigurationSchema {
  /// How tasks of an AVS come in and how they are given to its performers.
  static let dispatchKeys: [ConfigurationKey] =
    [
      ConfigurationKey(
        "avsPerformers[].weight", .integer(1...1000), default: "1",
        "Turns the AVS's tasks get for each turn of an AVS of weight 1, while both have tasks that could run."),
      ConfigurationKey(
        "avsPerformers[].replicas", .integer(1...64), default: "1",
        "Containers that serve the AVS at a time, each with `concurrency` tasks."),
      ConfigurationKey(
        "avsPerformers[].balancing", .choice(LoadBalancing.allCases.map(\.rawValue)),
        default: LoadBalancing.leastOutstanding.rawValue,
        "Which replica gets a task: the one with the fewest, or each in turn."),
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
    ConfigurationKey(
      "avsPerformers[].circuitBreaker.enabled", .boolean, default: "true", "Whether there is a circuit breaker at all."),
    ConfigurationKey(
      "avsPerformers[].circuitBreaker.consecutiveFailures", .integer(1...1000), default: "5", "Failures in a row that open it."),
    ConfigurationKey(
      "avsPerformers[].circuitBreaker.failureRatio", .number(0.01...1), default: "0.5",
      "Share of failures among the last `window` runs that opens it."),
    ConfigurationKey(
      "avsPerformers[].circuitBreaker.window", .integer(1...64), default: "20", "Runs the ratio is taken over."),
    ConfigurationKey(
      "avsPerformers[].circuitBreaker.openTime", .duration(.milliseconds(100)...(.seconds(3600))), default: "10s",
      "How long the performer gets no tasks."),
    ConfigurationKey(
      "avsPerformers[].circuitBreaker.probes", .integer(1...64), default: "1",
      "Runs that have to succeed after that before it gets tasks as before."),
  ]
}
