import PonosTelemetry

/// The metrics of queueing and dispatch that count rare things, looked up when one happens.
struct DispatchMetricFamilies: Sendable {
  let overflow: PrometheusFamily<PrometheusCounter>
  let expired: PrometheusFamily<PrometheusCounter>
  let breakers: PrometheusFamily<PrometheusGauge>
  let breakersOpened: PrometheusFamily<PrometheusCounter>

  init(_ registry: PrometheusRegistry) {
    overflow = registry.counter(
      "ponos_queue_overflow_total",
      help: "Tasks there was no room for, by policy (rejectNewest: refused; else a waiting task went) and bound reached.",
      labels: ["avs", "policy", "reason"])
    expired = registry.counter(
      "ponos_queue_expired_total", help: "Tasks whose time ended while they waited.", labels: ["avs"])
    breakers = registry.gauge(
      "ponos_circuit_breakers", help: "Serving performers, by state of their circuit breaker.", labels: ["avs", "state"])
    breakersOpened = registry.counter(
      "ponos_circuit_breaker_opened_total", help: "Times a circuit breaker opened.", labels: ["avs"])
  }
}
