import Synchronization

/// One line of figures under a metric's name: a set of label values and what was measured for it.
package protocol PrometheusSeries: AnyObject, Sendable {
  /// The measurement now.
  var snapshot: SeriesSnapshot { get }
}

/// A measurement at one moment.
package enum SeriesSnapshot: Sendable, Equatable {
  case value(Double)
  case histogram(HistogramSnapshot)
}

/// A histogram at one moment; sum and counts belong together.
package struct HistogramSnapshot: Sendable, Equatable {
  /// Upper bounds, inclusive and ascending, without the infinite one.
  package var bounds: [Double]
  /// Observations in each bucket, not cumulative; one more than `bounds`, for all that is larger.
  package var counts: [UInt64]
  package var sum: Double
}

/// A total that only rises. Increments are atomic and never wait.
package final class PrometheusCounter: PrometheusSeries {
  private let cell = AtomicDouble()

  package init() {}

  /// Ignores negative and non-finite amounts.
  package func increment(by amount: Double = 1) {
    if amount > 0, amount.isFinite { cell.add(amount) }
  }

  /// Takes over a total that is counted elsewhere.
  package func set(total: Double) { cell.store(total) }

  package var value: Double { cell.load() }
  package var snapshot: SeriesSnapshot { .value(value) }
}

/// A figure that goes up and down. Changes are atomic and never wait.
package final class PrometheusGauge: PrometheusSeries {
  private let cell = AtomicDouble()

  package init() {}

  package func set(_ value: Double) { cell.store(value) }
  package func add(_ amount: Double) { cell.add(amount) }

  package var value: Double { cell.load() }
  package var snapshot: SeriesSnapshot { .value(value) }
}

/// Observations sorted into buckets. An observation holds a lock for a few additions.
package final class PrometheusHistogram: PrometheusSeries {
  /// From 1 ms to 2 minutes, for durations of calls and tasks in seconds.
  package static let seconds: [Double] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120,
  ]
  /// From 50 µs to 2.5 s, for signatures and fsyncs in seconds.
  package static let fineSeconds: [Double] = [
    0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5,
  ]
  /// Powers of two up to 256, for sizes of batches.
  package static let powersOfTwo: [Double] = [1, 2, 4, 8, 16, 32, 64, 128, 256]

  private let bounds: [Double]
  private let state: Mutex<(counts: [UInt64], sum: Double)>

  /// `bounds` are ascending and finite.
  package init(bounds: [Double]) {
    self.bounds = bounds
    state = Mutex((counts: [UInt64](repeating: 0, count: bounds.count + 1), sum: 0))
  }

  /// Ignores NaN.
  package func observe(_ value: Double) {
    guard !value.isNaN else { return }
    let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
    state.withLock { state in
      state.counts[bucket] += 1
      state.sum += value
    }
  }

  /// Observations so far.
  package var count: Int { state.withLock { Int($0.counts.reduce(0, +)) } }

  package var snapshot: SeriesSnapshot {
    let (counts, sum) = state.withLock { ($0.counts, $0.sum) }
    return .histogram(HistogramSnapshot(bounds: bounds, counts: counts, sum: sum))
  }
}

/// A floating-point number that several threads change.
private final class AtomicDouble: Sendable {
  private let bits = Atomic<UInt64>(0)

  func load() -> Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

  func store(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }

  func add(_ amount: Double) {
    var current = bits.load(ordering: .relaxed)
    while true {
      let next = (Double(bitPattern: current) + amount).bitPattern
      let (exchanged, original) = bits.weakCompareExchange(expected: current, desired: next, ordering: .relaxed)
      if exchanged { return }
      current = original
    }
  }
}
