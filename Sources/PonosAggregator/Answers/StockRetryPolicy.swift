import GRPCCore
import PonosCore

/// How the public aggregator's client repeats a call: 10 s for an attempt, up to five more attempts after 1, 2, 4, 8 and 16 s.
package struct StockRetryPolicy: Sendable {
  /// What one attempt may take.
  package var attemptTimeout = Duration.seconds(10)
  /// The pause before the second attempt; each later one is twice as long, up to 30 s.
  package var firstDelay = Duration.seconds(1)
  /// Attempts after the first.
  package var maxRetries = 5

  package init() {}

  private static let maxDelay = Duration.seconds(30)
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

  /// The pause after an attempt that failed; nil when it was the last.
  ///
  /// - Parameter attempt: 1 for the first.
  package func delay(after error: RPCError, attempt: Int) -> Duration? {
    guard Self.repeats(error), attempt <= maxRetries else { return nil }
    return Backoff(first: firstDelay, longest: Self.maxDelay).pause(after: attempt)
  }

  /// Options of an attempt: the client does not wait for a connection, so that one that is refused counts as an attempt.
  package var options: CallOptions {
    var options = CallOptions.defaults
    options.timeout = attemptTimeout
    options.waitForReady = false
    return options
  }

  /// Calls `attempt` until it succeeds, fails for good, or the retries are used up; returns how many attempts it took.
  package func run<Answer: Sendable>(
    _ attempt: (CallOptions) async throws -> Answer
  ) async throws -> (answer: Answer, attempts: Int) {
    var attempts = 0
    while true {
      attempts += 1
      do {
        return (try await attempt(options), attempts)
      } catch let error as RPCError {
        guard let delay = delay(after: error, attempt: attempts) else { throw error }
        try await Task.sleep(for: delay)
      }
    }
  }
}
