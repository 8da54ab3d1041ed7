import PonosCore

/// Keys with defaults of an AVS.
enum AVSKeys {
  static let pullPolicy = Key(
    "avsPerformers[].image.pullPolicy", default: PullPolicy.ifNotPresent,
    "When the registry is asked. `IfNotPresent` asks only for an image that is not on this host.")
  static let concurrency = Key(
    "avsPerformers[].concurrency", 1...1024, default: 8, "Tasks one performer is given at a time.")
  static let taskTimeout = Key(
    "avsPerformers[].taskTimeout", .milliseconds(100)...(.seconds(86_400)), default: .seconds(90), reload: .live,
    "From the acceptance of a task to its answer.")
  static let maxPayloadBytes = Key(
    "avsPerformers[].maxPayloadBytes", 0...TaskSubmission.maxPayloadBytes, default: TaskSubmission.maxPayloadBytes, reload: .live,
    "Largest payload of a task of this AVS. One with more is refused: `payload_too_large`.")
  static let port = Key(
    "avsPerformers[].port", 1...65_535, default: PerformerInterface.standard.port,
    "TCP port they listen on, inside the container.")
  static let weight = Key(
    "avsPerformers[].weight", 1...1000, default: 1,
    "Turns the AVS's tasks get for each turn of an AVS of weight 1, while both have tasks that could run.")
  static let replicas = Key(
    "avsPerformers[].replicas", 1...64, default: 1, "Containers that serve the AVS at a time, each with `concurrency` tasks.")
  static let balancing = Key(
    "avsPerformers[].balancing", default: LoadBalancing.leastOutstanding, reload: .live,
    "Which replica gets a task: the one with the fewest, or each in turn.")
}

/// Keys with defaults of the circuit breaker.
enum BreakerKeys {
  private static let standard = CircuitBreaker.Settings.standard

  static let isEnabled = Key(
    "avsPerformers[].circuitBreaker.enabled", default: true, reload: .live, "Whether there is a circuit breaker at all.")
  static let consecutiveFailures = Key(
    "avsPerformers[].circuitBreaker.consecutiveFailures", 1...1000, default: CircuitBreaker.Settings.standardFailures,
    reload: .live, "Failures in a row that open it.")
  static let failureRatio = Key(
    "avsPerformers[].circuitBreaker.failureRatio", 0.01...1, default: standard.failureRatio, reload: .live,
    "Share of failures among the last `window` runs that opens it.")
  static let window = Key(
    "avsPerformers[].circuitBreaker.window", 1...64, default: standard.window, reload: .live, "Runs the ratio is taken over.")
  static let openTime = Key(
    "avsPerformers[].circuitBreaker.openTime", .milliseconds(100)...(.seconds(3600)), default: standard.openTime, reload: .live,
    "How long the performer gets no tasks.")
  static let probes = Key(
    "avsPerformers[].circuitBreaker.probes", 1...64, default: standard.probes, reload: .live,
    "Runs that have to succeed after that before it gets tasks as before.")
}

/// Keys with defaults of the rules for outputs.
enum ResponseKeys {
  static let minBytes = Key(
    "avsPerformers[].responseRules.minBytes", 0...ResponseChecks.maxOutputBytes, default: ResponseRules.none.lengths.lowerBound,
    reload: .live, "Smallest length.")
  static let maxBytes = Key(
    "avsPerformers[].responseRules.maxBytes", 0...ResponseChecks.maxOutputBytes, default: ResponseRules.none.lengths.upperBound,
    reload: .live, "Largest length. Aggregators drop longer results than the default.")
}

/// Keys with defaults of a container's limits.
enum ResourceKeys {
  private static let standard = ResourceLimits.standard

  static let memory = Key(
    "avsPerformers[].resources.memory", (6 << 20)...(1 << 44), default: standard.memoryBytes, "Memory and swap together.")
  static let cpus = Key("avsPerformers[].resources.cpus", 0.01...1024, default: standard.cpus, "Processor time, in cores.")
  static let pids = Key(
    "avsPerformers[].resources.pids", 1...4_194_304, default: Int(standard.pids), "Processes and threads.")
  static let tmpfs = Key(
    "avsPerformers[].resources.tmpfs", (64 << 10)...(1 << 44), default: standard.tmpfsBytes,
    "Size of `/tmp`, `/dev/shm` and each volume of the image, where a performer can write; what they hold counts as memory.")
}
