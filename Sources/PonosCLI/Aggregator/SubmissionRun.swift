import GRPCCore
import PonosAPI
import PonosAggregator
import PonosCore
import PonosExecutor
import PonosTransport

/// Submits tasks over one connection, some at a time, and checks every answer.
struct SubmissionRun: Sendable {
  var plan: SubmissionPlan
  /// nil leaves signatures unchecked.
  var verifier: ResultVerifier?
  var concurrency: Int
  var timeout: Duration
  /// nil sends once.
  var retry: StockRetryPolicy?
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
        let result = try await stub.submitTask(submission, metadata: urgency.metadata, options: options)
        return SubmissionOutcome(submission, since: start, attempts: attempts)
          .answered(result, to: submission, verifier: verifier)
      } catch let error as RPCError {
        guard let delay = retry?.delay(after: error, attempt: attempts) else {
          return SubmissionOutcome(submission, since: start, attempts: attempts).failed("\(error.message) (\(error.code))")
        }
        try await Task.sleep(for: delay)
      }
    }
  }

  private var options: CallOptions {
    if let retry { return retry.options }
    var options = CallOptions.defaults
    options.timeout = timeout
    return options
  }
}
