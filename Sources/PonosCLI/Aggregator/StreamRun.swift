import GRPCCore
import PonosAPI
import PonosAggregator
import PonosCore
import PonosCrypto
import PonosExecutor
import PonosStore
import PonosSystem
import PonosTransport

/// Submits tasks over a task stream, some at a time, and checks every answer and the executor's proof.
struct StreamRun: Sendable {
  /// Which side opens the stream.
  enum Route: Sendable {
    /// We dial the executor's task port.
    case dial(Endpoint)
    /// The executor dials us.
    case listen(Endpoint)
  }

  var submissions: SubmissionRun

  /// Runs the tasks and returns their outcomes in the order in which they ended; calls `progress` after each.
  func run(
    _ ids: [TaskID], over route: Route, progress: @escaping @Sendable (SubmissionOutcome) -> Void
  ) async throws -> [SubmissionOutcome] {
    let plan = submissions.plan
    let submitter = StreamSubmitter(
      identity: .init(
        owner: TaskOwner(aggregator: plan.aggregator, avs: plan.operatorSet.avs), executor: plan.executor,
        operatorSetID: plan.operatorSet.id, key: plan.key, executorKey: submissions.verifier?.key))
    return try await withThrowingTaskGroup(of: [SubmissionOutcome]?.self) { group in
      group.addTask {
        try await hold(route, submitter)
        return nil
      }
      group.addTask {
        let outcomes = try await submit(ids, submitter, progress)
        // Leaving in good order sends the last acknowledgements.
        await submitter.leave()
        return outcomes
      }
      var outcomes: [SubmissionOutcome]?
      while let result = try await group.next() {
        outcomes = outcomes ?? result
        if outcomes != nil { group.cancelAll() }
      }
      guard let outcomes else { throw CommandFailure("the stream ended before the tasks did") }
      return outcomes
    }
  }

  // MARK: The stream

  private func hold(_ route: Route, _ submitter: StreamSubmitter) async throws {
    switch route {
    case .dial(let endpoint):
      let end = await submitter.dial(host: endpoint.host, port: endpoint.port)
      guard case .stopping = end else { throw CommandFailure("\(endpoint.text): \(end.message) (\(end.code))") }
    case .listen(let endpoint): try await listen(at: endpoint, submitter)
    }
  }

  private func listen(at endpoint: Endpoint, _ submitter: StreamSubmitter) async throws {
    let server = GRPCServer(
      transport: Transports.server(ServerTransportSettings(host: endpoint.host, port: endpoint.port)),
      services: [AggregatorServiceHandler(submitter: submitter)])
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        try await withTaskCancellationHandler {
          try await server.serve()
        } onCancel: {
          server.beginGracefulShutdown()
        }
      }
      let port = try await server.transport.boundPort()
      Console.note("waiting for the executor to dial \(endpoint.host):\(port)")
      try await group.waitForAll()
    }
  }

  // MARK: Tasks

  private func submit(
    _ ids: [TaskID], _ submitter: StreamSubmitter, _ progress: @escaping @Sendable (SubmissionOutcome) -> Void
  ) async throws -> [SubmissionOutcome] {
    try await withThrowingTaskGroup(of: SubmissionOutcome.self) { group in
      var outcomes: [SubmissionOutcome] = []
      for (index, id) in ids.enumerated() {
        if index >= submissions.concurrency, let outcome = try await group.next() {
          outcomes.append(outcome)
          progress(outcome)
        }
        group.addTask { try await answer(to: id, submitter) }
      }
      while let outcome = try await group.next() {
        outcomes.append(outcome)
        progress(outcome)
      }
      return outcomes
    }
  }

  private func answer(to id: TaskID, _ submitter: StreamSubmitter) async throws -> SubmissionOutcome {
    let wire = try submissions.plan.submission(id)
    var task = try TaskSubmission(wire: wire)
    task.urgency = submissions.urgency
    let start = ContinuousClock.now
    let ending = await ending(of: task, submitter)
    var outcome = SubmissionOutcome(
      taskID: wire.taskID, milliseconds: SubmissionRun.milliseconds(since: start), attempts: 1, output: nil, isVerified: false)
    switch ending {
    case .outcome(.result(let result)):
      let problem = submissions.verifier?.problem(of: result, to: wire)
      outcome.output = Hex.encodePrefixed(result.output)
      outcome.isVerified = submissions.verifier != nil && problem == nil
      outcome.error = problem.map { "the answer does not verify: \($0)" }
    case .outcome(.failure(let failure)): outcome.error = "\(failure.message) (\(failure.code))"
    case .refused(let refusal): outcome.error = "\(refusal.message) (\(refusal.code))"
    case nil: outcome.error = "no answer within \(submissions.timeout.components.seconds) s"
    }
    return outcome
  }

  /// How the submission ended; nil when the time is over first.
  private func ending(of task: TaskSubmission, _ submitter: StreamSubmitter) async -> StreamSubmitter.Ending? {
    await withDeadline(submissions.timeout) { await submitter.submit(task) } ?? nil
  }
}
