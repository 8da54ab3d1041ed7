import PonosChain
import PonosTelemetry

/// What is counted about the chain. Endpoints are named by host.
package final class ChainMetrics: Sendable {
  private let requests: PrometheusFamily<PrometheusCounter>
  private let seconds: PrometheusFamily<PrometheusHistogram>
  private let specified: PrometheusFamily<PrometheusCounter>
  private let specifiedSeconds: PrometheusFamily<PrometheusHistogram>
  private let disagreements: PrometheusFamily<PrometheusCounter>
  private let lookups: PrometheusFamily<PrometheusGauge>
  private let head: PrometheusFamily<PrometheusGauge>
  private let lag: PrometheusFamily<PrometheusGauge>
  private let serving: PrometheusFamily<PrometheusGauge>
  private let reorganisations: PrometheusFamily<PrometheusGauge>
  private let version: String

  /// - Parameter version: The daemon's, as the label `client_version` of the metrics that the node specification names.
  package init(registry: PrometheusRegistry, version: String) {
    self.version = "ponos-executor/\(version)"
    requests = registry.counter(
      "ponos_chain_requests_total", help: "Calls of the chain's JSON-RPC API by endpoint, method and code (ok or an rpc_ code).",
      labels: ["endpoint", "method", "code"])
    seconds = registry.histogram(
      "ponos_chain_request_duration_seconds", help: "HTTP requests to the chain's endpoints, batches as one.",
      labels: ["endpoint"])
    specified = registry.counter(
      "eigen_rpc_request_total", help: "Calls of the chain's JSON-RPC API.", labels: ["method", "client_version"])
    specifiedSeconds = registry.histogram(
      "eigen_rpc_request_duration_seconds", help: "Time of calls of the chain's JSON-RPC API.",
      labels: ["method", "client_version"])
    disagreements = registry.counter(
      "ponos_chain_disagreements_total", help: "Reads to which endpoints gave different answers.", labels: [])
    lookups = registry.gauge(
      "ponos_chain_decisions",
      help: "Decisions from what was known (hit), and those that had to read the chain (miss), since the start.",
      labels: ["outcome"])
    head = registry.gauge("ponos_chain_head_block", help: "Newest block an endpoint told of.", labels: ["endpoint"])
    lag = registry.gauge(
      "ponos_chain_head_lag_blocks", help: "Blocks an endpoint is behind the newest one known.", labels: ["endpoint"])
    serving = registry.gauge("ponos_chain_endpoint_up", help: "Whether an endpoint is asked: 1 or 0.", labels: ["endpoint"])
    reorganisations = registry.gauge(
      "ponos_chain_reorganisations", help: "Times at which blocks that were known left the chain, since the start.", labels: [])
  }

  package func observe(_ event: EndpointEvent) {
    switch event {
    case .request(let host, let methods, let failure, let time):
      seconds.with(host).observe(time)
      for method in methods {
        requests.with(host, method.rawValue, failure?.rawValue ?? "ok").increment()
        specified.with(method.rawValue, version).increment()
        specifiedSeconds.with(method.rawValue, version).observe(time)
      }
    case .disagreement: disagreements.with().increment()
    case .up, .down: return
    }
  }

  /// Brings the gauges up to date.
  package func publish(_ reader: ChainReader, remembered: Int) {
    for endpoint in reader.pool.snapshots() {
      if let block = endpoint.head { head.with(endpoint.host).set(Double(block.number)) }
      lag.with(endpoint.host).set(Double(endpoint.lag))
      serving.with(endpoint.host).set(endpoint.phase == .serving ? 1 : 0)
    }
    let figures = reader.figures
    lookups.with("hit").set(Double(figures.hits + remembered))
    lookups.with("miss").set(Double(figures.misses))
    reorganisations.with().set(Double(figures.reorganisations))
  }
}
