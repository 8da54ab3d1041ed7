import Foundation
@testable import PonosExecutor
import PonosTelemetry
import Testing

/// `docs/metrics.md` lists exactly the metrics that there are.
@Suite struct MetricsDocumentTests {
  @Test func theDocumentListsWhatIsRegistered() throws {
    let registry = PrometheusRegistry()
    _ = ExecutorMetrics(registry: registry, avs: [], version: "0")
    _ = StreamMetrics(registry: registry, avs: [])
    _ = ResourceSampler(registry: registry)
    _ = ChainMetrics(registry: registry, version: "0")
    _ = MetricsInterceptor(registry: registry)
    let registered = registry.snapshot().map { family in
      let description = family.description
      let labels = description.labelNames.map { "`\($0)`" }.joined(separator: ", ")
      return "| `\(description.name)` | \(description.kind.rawValue) | \(labels.isEmpty ? "" : labels) | \(description.help) |"
    }
    let path = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../../docs/metrics.md").standardized
    let rows = try String(contentsOf: path, encoding: .utf8).split(separator: "\n").map(String.init)
      .filter { $0.hasPrefix("| `") }
    for row in registered { #expect(rows.contains(row), "docs/metrics.md lacks or misstates: \(row)") }
    for row in rows { #expect(registered.contains(row), "docs/metrics.md describes what does not exist: \(row)") }
  }
}
