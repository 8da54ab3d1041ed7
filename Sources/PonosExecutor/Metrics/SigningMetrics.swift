import PonosCore
import PonosTelemetry

/// The metrics of signing and of verification in batches.
struct SigningMetrics: Sendable {
  /// One histogram for each curve there is.
  let seconds: [SignatureCurve: PrometheusHistogram]
  let batchSignatures: PrometheusHistogram
  let badBatches: PrometheusCounter

  init(_ registry: PrometheusRegistry) {
    let signing = registry.histogram(
      "ponos_signing_seconds", help: "Time to sign a result and verify the signature.", labels: ["curve"],
      bounds: PrometheusHistogram.fineSeconds)
    seconds = Dictionary(uniqueKeysWithValues: SignatureCurve.allCases.map { ($0, signing.with($0.rawValue)) })
    let signatures = registry.histogram(
      "ponos_bn254_batch_signatures", help: "BN254 signatures that were verified together, our own included.",
      bounds: PrometheusHistogram.powersOfTwo)
    batchSignatures = signatures.with()
    let bad = registry.counter("ponos_bn254_batches_bad_total", help: "Checks of BN254 signatures that found a bad one.")
    badBatches = bad.with()
  }
}
