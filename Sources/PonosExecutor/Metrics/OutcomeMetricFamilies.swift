import PonosTelemetry

/// The metrics that have a code or a state beside `avs`, whose series are looked up when something happens.
struct OutcomeMetricFamilies: Sendable {
  let refused: PrometheusFamily<PrometheusCounter>
  let failed: PrometheusFamily<PrometheusCounter>
  let deploymentsFailed: PrometheusFamily<PrometheusCounter>
  let performerStates: PrometheusFamily<PrometheusGauge>

  init(_ registry: PrometheusRegistry) {
    refused = registry.counter(
      "ponos_tasks_refused_total", help: "Submissions refused, by code of the refusal.", labels: ["avs", "code"])
    failed = registry.counter(
      "ponos_tasks_failed_total", help: "Accepted tasks that ended without a result, by code of the failure.",
      labels: ["avs", "code"])
    deploymentsFailed = registry.counter(
      "ponos_deployments_failed_total", help: "Deployments that did not come into service, by code of the failure.",
      labels: ["avs", "code"])
    performerStates = registry.gauge(
      "ponos_performers", help: "Performers, by state of their lifecycle.", labels: ["avs", "state"])
  }
}
