import PonosCore
import PonosTelemetry

/// What is counted about task streams. The label `avs` is as in `ExecutorMetrics`.
package final class StreamMetrics: Sendable {
  private let sessions: PrometheusFamily<PrometheusGauge>
  private let ended: PrometheusFamily<PrometheusCounter>
  private let sent: PrometheusFamily<PrometheusCounter>
  private let acknowledged: PrometheusFamily<PrometheusCounter>
  private let known: Set<EthereumAddress>

  package init(registry: PrometheusRegistry, avs: [EthereumAddress]) {
    known = Set(avs)
    sessions = registry.gauge(
      "ponos_stream_sessions", help: "Established sessions with aggregators, by who dialled.", labels: ["avs", "dialled_by"])
    ended = registry.counter("ponos_stream_sessions_ended_total", help: "Sessions that ended, by cause.", labels: ["code"])
    sent = registry.counter("ponos_stream_outcomes_sent_total", help: "Outcomes sent on streams.", labels: ["avs"])
    acknowledged = registry.counter(
      "ponos_stream_outcomes_acknowledged_total", help: "Outcomes that aggregators acknowledged.", labels: ["avs"])
  }

  /// A session was established.
  func established(_ avs: EthereumAddress, dialledByUs: Bool) { gauge(avs, dialledByUs).add(1) }

  /// An established session ended.
  func disestablished(_ avs: EthereumAddress, dialledByUs: Bool) { gauge(avs, dialledByUs).add(-1) }

  /// A session ended, established or not.
  func ended(code: String) { ended.with(code).increment() }

  func sent(_ avs: EthereumAddress) { sent.with(label(of: avs)).increment() }

  func acknowledged(_ avs: EthereumAddress, count: Int) { acknowledged.with(label(of: avs)).increment(by: Double(count)) }

  private func gauge(_ avs: EthereumAddress, _ dialledByUs: Bool) -> PrometheusGauge {
    sessions.with(label(of: avs), dialledByUs ? "executor" : "aggregator")
  }

  private func label(of avs: EthereumAddress) -> String { known.contains(avs) ? avs.description : "other" }
}
