import GRPCCore
import PonosAggregator
import PonosCore
import PonosCrypto
import PonosExecutor
import PonosStore
import PonosTesting
import PonosTransport

/// An aggregator that speaks task streams: dials executors or is dialled by them, and remembers what they said.
package struct StreamAggregator: Sendable {
  package typealias Settings = StreamSubmitter.Machine.Settings

  package let aggregator: TestAggregator
  package let submitter: StreamSubmitter
  /// Everything that was noticed, in order.
  package let notices: Collected<StreamSubmitter.Notice>

  /// - Parameters:
  ///   - executorKey: What the executor has to prove to hold; nil believes any.
  ///   - settings: Say for instance that outcomes are not acknowledged.
  package init(
    _ aggregator: TestAggregator, avs: EthereumAddress, executor: EthereumAddress, operatorSetID: UInt32,
    executorKey: VerificationKey?, settings: Settings = .init()
  ) {
    self.aggregator = aggregator
    let notices = Collected<StreamSubmitter.Notice>()
    self.notices = notices
    submitter = StreamSubmitter(
      identity: .init(
        owner: TaskOwner(aggregator: aggregator.address, avs: avs), executor: executor, operatorSetID: operatorSetID,
        key: aggregator.key, executorKey: executorKey), settings: settings, notify: { notices.append($0) })
  }

  /// Signs a task, submits it on the stream and returns how it ended; nil when the caller was cancelled.
  package func submit(_ draft: SubmissionDraft, urgency: TaskUrgency = TaskUrgency()) async throws -> StreamSubmitter.Ending? {
    await submitter.submit(try task(draft, urgency: urgency))
  }

  /// A signed task.
  package func task(_ draft: SubmissionDraft, urgency: TaskUrgency = TaskUrgency()) throws -> TaskSubmission {
    var task = try TaskSubmission(wire: try aggregator.sign(draft))
    task.urgency = urgency
    return task
  }

  /// Holds one session with an executor's task port, to its end.
  package func dialOnce(port: Int) async -> SessionEnd {
    await submitter.dialOnce(host: "127.0.0.1", port: port)
  }

  /// Lets go of the stream there is, without a word.
  package func disconnect() {
    submitter.disconnect()
  }

  /// Runs `body` while a connection to an executor's task port is kept up.
  package func dialling<Result: Sendable>(
    port: Int, policy: ReconnectPolicy = ReconnectPolicy(initial: .milliseconds(20), maximum: .milliseconds(200)),
    _ body: @Sendable () async throws -> Result
  ) async throws -> Result {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { _ = await submitter.dial(host: "127.0.0.1", port: port, policy: policy) }
      let result = try await body()
      await submitter.leave()
      group.cancelAll()
      return result
    }
  }

  /// Runs `body`, which is given the port, while executors can dial this aggregator.
  package func hosting<Result: Sendable>(
    port: Int = 0, _ body: @escaping @Sendable (Int) async throws -> Result
  ) async throws -> Result {
    let server = GRPCServer(
      transport: Transports.server(ServerTransportSettings(host: "127.0.0.1", port: port)),
      services: [AggregatorServiceHandler(submitter: submitter)])
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await server.serve() }
      let result = try await body(try await server.transport.boundPort())
      await submitter.leave()
      server.beginGracefulShutdown()
      group.cancelAll()
      return result
    }
  }

  // MARK: What was noticed

  /// Sessions that came about.
  package var sessions: Int { notices.values.count { if case .established = $0 { true } else { false } } }

  /// How sessions ended, in order.
  package var ends: [SessionEnd] { notices.values.compactMap { if case .ended(let end) = $0 { end } else { nil } } }

  /// Tasks that receipts came for, in order.
  package var receipts: [TaskID] {
    messages.compactMap { if case .receipt(let idText) = $0 { TaskID(hex: idText) } else { nil } }
  }

  /// Everything executors said, in order.
  package var messages: [ExecutorMessage<StreamAnswer>] {
    notices.values.compactMap { if case .message(let message) = $0 { message } else { nil } }
  }

  /// An outcome as it came.
  package struct Outcome: Sendable, Equatable {
    package let id: TaskID
    /// nil for a failure.
    package let result: WireResult?
    /// Code of a failure.
    package let code: String?

    fileprivate init(_ id: TaskID, _ answer: StreamAnswer) {
      self.id = id
      switch answer {
      case .result(let result): (self.result, code) = (result, nil)
      case .failure(let failure): (result, code) = (nil, failure.code)
      }
    }
  }

  /// Every outcome that came, again if it came again.
  package var outcomes: [Outcome] {
    messages.compactMap { if case .outcome(let id, let answer) = $0 { Outcome(id, answer) } else { nil } }
  }

  /// Codes of the refusals that came.
  package var refusals: [String] {
    messages.compactMap { if case .refusal(let refusal) = $0 { refusal.code } else { nil } }
  }
}

extension StreamSubmitter.Ending {
  /// The signed result; nil for a failure or a refusal.
  package var result: WireResult? {
    if case .outcome(.result(let result)) = self { result } else { nil }
  }

  /// Code of a failure or a refusal.
  package var code: String? {
    switch self {
    case .outcome(.result): nil
    case .outcome(.failure(let failure)): failure.code
    case .refused(let refusal): refusal.code
    }
  }
}
