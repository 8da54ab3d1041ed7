import GRPCCore
import PonosAPI
import PonosCore
import PonosExecutor
import PonosTransport

/// How one task ended, seen from the aggregator.
struct SubmissionOutcome: Sendable, Encodable {
  var taskID: String
  /// From the first attempt to the answer.
  var milliseconds: Double
  var attempts: Int
  /// Hex; nil when there was no answer.
  var output: String?
  var isVerified: Bool
  /// Why there was no verified answer.
  var error: String?
}

/// Submits tasks over one connection, some at a time, and checks every answer.
struct SubmissionRun: Sendable {
  var plan: SubmissionPlan
  /// nil leaves signatures unchecked.
  var verifier: ResultVerifier?
  var concurrency: Int
  var timeout: Duration
  var retry: StockRetry?
  var urgency = TaskUrgency()

  typealias Stub = Eigenlayer_Hourglass_V1_ExecutorService.Client<ClientTransportInUse>

  /// Runs the tasks and returns their outcomes in the order in which they ended; calls `progress` after each.
  func run(
    _ ids: [TaskID], over stub: Stub, progress: @Sendable (SubmissionOutcome) -> Void
  ) async throws -> [SubmissionOutcome] {
    try await withThrowingTaskGroup(of: SubmissionOutcome.self) { group in
      var waiting = ids[...]
      var outcomes: [SubmissionOutcome] = []
      for id in waiting.prefix(concurrency) { group.addTask { try await submit(id, over: stub) } }
      waiting = waiting.dropFirst(concurrency)
      while let outcome = try await group.next() {
        outcomes.append(outcome)
        progress(outcome)
        if let id = waiting.popFirst() { group.addTask { try await submit(id, over: stub) } }
      }
      return outcomes
    }
  }

  private func submit(_ id: TaskID, over stub: Stub) async throws -> SubmissionOutcome {
    let submission = try plan.submission(id)
    let start = ContinuousClock.now
    var attempts = 0
    while true {
      attempts += 1
      do {
        var options = CallOptions.defaults
        options.timeout = retry?.attemptTimeout ?? timeout
        let result = try await stub.submitTask(submission, metadata: urgency.metadata, options: options)
        let problem = verifier?.problem(of: result, to: submission)
        return SubmissionOutcome(
          taskID: submission.taskID, milliseconds: Self.milliseconds(since: start), attempts: attempts,
          output: Hex.encodePrefixed(result.output), isVerified: verifier != nil && problem == nil,
          error: problem.map { "the answer does not verify: \($0)" })
      } catch let error as RPCError {
        guard let delay = retry?.delay(after: error, attempt: attempts) else {
          return SubmissionOutcome(
            taskID: submission.taskID, milliseconds: Self.milliseconds(since: start), attempts: attempts, output: nil,
            isVerified: false, error: "\(error.message) (\(error.code))")
        }
        try await Task.sleep(for: delay)
      }
    }
  }

  static func milliseconds(since start: ContinuousClock.Instant) -> Double {
    let (seconds, attoseconds) = (ContinuousClock.now - start).components
    return Double(seconds) * 1000 + Double(attoseconds) / 1e15
  }
}

/// Sends a task again as the stock aggregator does: 10 s per attempt, five retries after 1, 2, 4, 8 and 16 s, on codes 4, 8, 13 and 14.
struct StockRetry: Sendable {
  let attemptTimeout = Duration.seconds(10)
  private let maxRetries = 5
  private let backoff = Backoff(first: .seconds(1), longest: .seconds(16))

  /// The pause before the next attempt; nil when there is none.
  func delay(after error: RPCError, attempt: Int) -> Duration? {
    switch error.code {
    case .deadlineExceeded, .resourceExhausted, .internalError, .unavailable:
      attempt <= maxRetries ? backoff.pause(after: attempt) : nil
    default: nil
    }
  }
}
