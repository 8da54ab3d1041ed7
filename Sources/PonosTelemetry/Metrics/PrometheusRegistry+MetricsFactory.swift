import CoreMetrics

/// What libraries measure through the Metrics API, under names made to follow Prometheus' rules: counters end in `_total`,
/// timers in `_seconds`. A name that is taken by a metric of another kind is measured but not shown.
extension PrometheusRegistry: MetricsFactory {
  private static var help: String { "Measured by a library." }

  package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    CounterAdapter(floatingCounter(label, dimensions))
  }

  package func makeFloatingPointCounter(
    label: String, dimensions: [(String, String)]
  ) -> any FloatingPointCounterHandler {
    FloatingCounterAdapter(floatingCounter(label, dimensions))
  }

  package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
    GaugeAdapter(gauge(label, dimensions))
  }

  package func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
    guard aggregate else { return GaugeAdapter(gauge(label, dimensions)) }
    let family = histogram(PrometheusText.validName(label), help: Self.help)
    return HistogramAdapter(family.with(labels: Self.labels(dimensions)))
  }

  package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    let family = histogram(Self.name(label, ending: "_seconds"), help: Self.help)
    return TimerAdapter(family.with(labels: Self.labels(dimensions)))
  }

  // Series stay: a total that vanishes and comes back reads like a restart.
  package func destroyCounter(_ handler: any CounterHandler) {}
  package func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
  package func destroyMeter(_ handler: any MeterHandler) {}
  package func destroyRecorder(_ handler: any RecorderHandler) {}
  package func destroyTimer(_ handler: any TimerHandler) {}

  private func floatingCounter(_ label: String, _ dimensions: [(String, String)]) -> PrometheusCounter {
    counter(Self.name(label, ending: "_total"), help: Self.help).with(labels: Self.labels(dimensions))
  }

  private func gauge(_ label: String, _ dimensions: [(String, String)]) -> PrometheusGauge {
    gauge(PrometheusText.validName(label), help: Self.help).with(labels: Self.labels(dimensions))
  }

  private static func name(_ label: String, ending: String) -> String {
    let name = PrometheusText.validName(label)
    return name.hasSuffix(ending) ? name : name + ending
  }

  private static func labels(_ dimensions: [(String, String)]) -> [MetricLabel] {
    dimensions.map { MetricLabel(PrometheusText.validName($0.0), $0.1) }.sorted()
  }
}

private final class CounterAdapter: CounterHandler {
  private let counter: PrometheusCounter
  init(_ counter: PrometheusCounter) { self.counter = counter }
  func increment(by amount: Int64) { counter.increment(by: Double(amount)) }
  func reset() { counter.set(total: 0) }
}

private final class FloatingCounterAdapter: FloatingPointCounterHandler {
  private let counter: PrometheusCounter
  init(_ counter: PrometheusCounter) { self.counter = counter }
  func increment(by amount: Double) { counter.increment(by: amount) }
  func reset() { counter.set(total: 0) }
}

private final class GaugeAdapter: MeterHandler, RecorderHandler {
  private let gauge: PrometheusGauge
  init(_ gauge: PrometheusGauge) { self.gauge = gauge }
  func set(_ value: Int64) { gauge.set(Double(value)) }
  func set(_ value: Double) { gauge.set(value) }
  func increment(by amount: Double) { gauge.add(amount) }
  func decrement(by amount: Double) { gauge.add(-amount) }
  func record(_ value: Int64) { gauge.set(Double(value)) }
  func record(_ value: Double) { gauge.set(value) }
}

private final class HistogramAdapter: RecorderHandler {
  private let histogram: PrometheusHistogram
  init(_ histogram: PrometheusHistogram) { self.histogram = histogram }
  func record(_ value: Int64) { histogram.observe(Double(value)) }
  func record(_ value: Double) { histogram.observe(value) }
}

private final class TimerAdapter: TimerHandler {
  private let histogram: PrometheusHistogram
  init(_ histogram: PrometheusHistogram) { self.histogram = histogram }
  func recordNanoseconds(_ duration: Int64) { histogram.observe(Double(duration) / 1e9) }
}
