import PonosChain
import PonosCore
import PonosCrypto
import PonosExecutor
import PonosSystem

/// What the chain adds to a submission: validated with facts that are known, beside a registry of the configuration; and the first one of an
/// aggregator, beside the bare requests.
enum ChainBenchmarks {
  static func measure(rounds: Int, seconds: Double, report: (Outcome) -> Void) async throws {
    let chain = try BenchmarkChain()
    defer { chain.end() }
    try await chain.register()
    try await compareCached(chain, rounds, seconds, report)
    try await compareCold(chain, rounds, seconds, report)
    print("  calls per task while the facts are known: 0; for the first one: 10 calls in 2 requests")
  }

  private static func compareCached(
    _ chain: BenchmarkChain, _ rounds: Int, _ seconds: Double, _ report: (Outcome) -> Void
  ) async throws {
    let onChain = try chain.registry()
    try await onChain.reader.advance()
    let (configured, claim) = (BenchmarkChain.FixedRegistry(), BenchmarkChain.claim())
    // The facts are read once.
    _ = try await onChain.registry.standing(of: claim)
    let comparison = Comparison(
      group: "chain", title: "Who may submit, with which key: facts known", figure: .cpu,
      contenders: [
        .calling("registry of the configuration", callers: 1) { _ in
          for _ in 0..<1_000 { _ = try await configured.standing(of: claim) }
        },
        .calling("registry on the chain", callers: 1) { _ in
          for _ in 0..<1_000 { _ = try await onChain.registry.standing(of: claim) }
        },
      ])
    // An operation is a thousand of them.
    report(try await comparison.measure(rounds: rounds, seconds: seconds))
  }

  private static func compareCold(
    _ chain: BenchmarkChain, _ rounds: Int, _ seconds: Double, _ report: (Outcome) -> Void
  ) async throws {
    let pool = try chain.pool()
    let comparison = Comparison(
      group: "chain", title: "The first submission of an aggregator", figure: .latency,
      contenders: [
        .calling("two bare requests", callers: 1) { _ in
          for _ in 0..<2 { _ = try await pool.read([.head]) }
        },
        .calling("registry on the chain, nothing known", callers: 1) { _ in
          let cold = try chain.registry(pool: pool)
          try await cold.reader.advance()
          _ = try await cold.registry.standing(of: BenchmarkChain.claim())
        },
      ])
    report(try await comparison.measure(rounds: rounds, seconds: seconds))
  }
}
