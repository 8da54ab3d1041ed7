import GRPCCore
import PonosCore

/// How the public aggregator's client repeats a call: 10 s for an attempt, up to five more attempts after 1, 2, 4, 8 and 16 s.
package struct StockRetries: Sendable {
  package var attemptTimeout = Duration.seconds(10)
  package var firstDelay = Duration.seconds(1)
  package var maxRetries = 5

  package init() {}

  private static let retriedCodes: Set<RPCError.Code> = [
    .deadlineExceeded, .resourceExhausted, .internalError, .unavailable,
  ]
  private static let retriedTexts = [
    "connection refused", "connection reset", "connection timeout", "no such host", "network is unreachable",
  ]

  /// Whether the public client sends again after `error`.
  package static func repeats(_ error: RPCError) -> Bool {
    retriedCodes.contains(error.code) || retriedTexts.contains { error.message.contains($0) }
  }

  /// Calls `attempt` until it succeeds, fails for good, or the retries are used up; returns how many attempts it took.
  package func run<Answer: Sendable>(
    _ attempt: (CallOptions) async throws -> Answer
  ) async throws -> (answer: Answer, attempts: Int) {
    let backoff = Backoff(first: firstDelay, longest: .seconds(30))
    var attempts = 0
    while true {
      attempts += 1
      var options = CallOptions.defaults
      options.timeout = attemptTimeout
      options.waitForReady = false
      do {
        return (try await attempt(options), attempts)
      } catch let error as RPCError where Self.repeats(error) && attempts <= maxRetries {
        try await Task.sleep(for: backoff.pause(after: attempts))
      }
    }
  }
}
