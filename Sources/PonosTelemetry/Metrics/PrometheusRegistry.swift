import Synchronization

/// The daemon's metrics, ready to be scraped. Also the backend of the Metrics API (`PrometheusRegistry+MetricsFactory.swift`), for what
/// libraries measure.
package final class PrometheusRegistry: Sendable {
  /// A family of any kind.
  private enum Entry {
    case counter(PrometheusFamily<PrometheusCounter>)
    case gauge(PrometheusFamily<PrometheusGauge>)
    case histogram(PrometheusFamily<PrometheusHistogram>)

    var snapshot: FamilySnapshot {
      switch self {
      case .counter(let family): family.snapshot
      case .gauge(let family): family.snapshot
      case .histogram(let family): family.snapshot
      }
    }
  }

  private let entries = Mutex<[String: Entry]>([:])
  private let beforeScrapes = Mutex<[@Sendable () -> Void]>([])

  package init() {}

  /// The counter of that name, made on first use. Asking again for a name gives the same family; with another kind, one that is
  /// not shown.
  package func counter(_ name: String, help: String, labels: [String] = []) -> PrometheusFamily<PrometheusCounter> {
    let description = MetricDescription(name: name, help: help, kind: .counter, labelNames: labels)
    return entries.withLock { entries in
      if case .counter(let family)? = entries[name] { return family }
      let family = PrometheusFamily(description) { PrometheusCounter() }
      if entries[name] == nil { entries[name] = .counter(family) }
      return family
    }
  }

  /// The gauge of that name; see `counter`.
  package func gauge(_ name: String, help: String, labels: [String] = []) -> PrometheusFamily<PrometheusGauge> {
    let description = MetricDescription(name: name, help: help, kind: .gauge, labelNames: labels)
    return entries.withLock { entries in
      if case .gauge(let family)? = entries[name] { return family }
      let family = PrometheusFamily(description) { PrometheusGauge() }
      if entries[name] == nil { entries[name] = .gauge(family) }
      return family
    }
  }

  /// The histogram of that name; see `counter`. `bounds` are the upper bounds of its buckets, in the metric's unit.
  package func histogram(
    _ name: String, help: String, labels: [String] = [], bounds: [Double] = PrometheusHistogram.seconds
  ) -> PrometheusFamily<PrometheusHistogram> {
    let description = MetricDescription(name: name, help: help, kind: .histogram, labelNames: labels)
    return entries.withLock { entries in
      if case .histogram(let family)? = entries[name] { return family }
      let family = PrometheusFamily(description) { PrometheusHistogram(bounds: bounds) }
      if entries[name] == nil { entries[name] = .histogram(family) }
      return family
    }
  }

  /// Has `update` called at the beginning of each scrape, to bring gauges up to date. It must be quick.
  package func beforeScrape(_ update: @escaping @Sendable () -> Void) {
    beforeScrapes.withLock { $0.append(update) }
  }

  /// Every metric with its figures, by name.
  package func snapshot() -> [FamilySnapshot] {
    for update in beforeScrapes.withLock({ $0 }) { update() }
    return entries.withLock { Array($0.values) }.map(\.snapshot).sorted { $0.description.name < $1.description.name }
  }

  /// The answer to a scrape, in the text format.
  package func text() -> String { PrometheusText.render(snapshot()) }
}
