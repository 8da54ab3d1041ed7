/// A median over rounds, and how far the rounds lay apart.
struct Spread: Codable {
  let median: Double
  let min: Double
  let max: Double

  /// nil for no values.
  init?(_ values: [Double]) {
    let sorted = values.sorted()
    guard let first = sorted.first, let last = sorted.last else { return nil }
    min = first
    max = last
    median = (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
  }
}

/// What a comparison brought.
struct Outcome: Codable {
  /// One contender's figures. Times in microseconds.
  struct Entry: Codable {
    let name: String
    /// Processor time of one operation.
    let cpu: Spread
    let operationsPerSecond: Spread
    let latencyP50: Spread?
    let latencyP99: Spread?
    /// Cost as a multiple of the floor's, each round against the floor's round beside it.
    let ratio: Spread
  }

  let group: String
  let title: String
  /// Which cost `ratio` is about.
  let figure: Comparison.Figure
  let rounds: Int
  /// The floor first.
  let entries: [Entry]

  init(_ comparison: Comparison, _ results: [[Round]]) {
    group = comparison.group
    title = comparison.title
    figure = comparison.figure
    rounds = results[0].count
    let floor = results[0].map { $0.cost(comparison.figure) }
    entries = zip(comparison.contenders, results).map { contender, rounds in
      Entry(contender.name, rounds, ratios: zip(rounds, floor).map { $0.cost(comparison.figure) / $1 })
    }
  }
}

extension Outcome.Entry {
  init(_ name: String, _ rounds: [Round], ratios: [Double]) {
    guard
      let cpu = Spread(rounds.map { $0.cost(.cpu) * 1e6 }),
      let operationsPerSecond = Spread(rounds.map { Double($0.operations) / $0.wall }),
      let ratio = Spread(ratios)
    else { preconditionFailure("a comparison has at least one round") }
    self.name = name
    self.cpu = cpu
    self.operationsPerSecond = operationsPerSecond
    self.ratio = ratio
    latencyP50 = Spread(rounds.compactMap { $0.latency(0.5) }.map { $0 * 1e6 })
    latencyP99 = Spread(rounds.compactMap { $0.latency(0.99) }.map { $0 * 1e6 })
  }
}

extension Round {
  /// What one operation cost, in seconds.
  func cost(_ figure: Comparison.Figure) -> Double {
    switch figure {
    case .cpu: cpu / Double(operations)
    case .time: wall / Double(operations)
    case .latency: latency(0.5) ?? wall / Double(operations)
    }
  }

  /// The latency that the given share of operations did not exceed; nil where latencies were not noted.
  func latency(_ share: Double) -> Double? {
    let sorted = latencies.sorted()
    guard !sorted.isEmpty else { return nil }
    return sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
  }
}
