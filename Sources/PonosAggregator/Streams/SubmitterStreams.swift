import GRPCCore
import PonosAPI
import PonosCore
import PonosTransport

/// The two ways a submitter comes to a stream.
extension StreamSubmitter {
  /// Dials an executor's task port again and again until the task is cancelled or the submitter leaves. Returns early, saying why, when there is no point in
  /// going on.
  package func dial(host: String, port: Int, policy: ReconnectPolicy = ReconnectPolicy()) async -> SessionEnd {
    var failures = 0
    while true {
      let end = await dialOnce(host: host, port: port)
      if isLeaving { return .stopping }
      failures += 1
      switch end {
      case .unauthenticated, .violation: return end
      case .peerLeft(let goodbye) where goodbye.retryAfter == nil: return end
      default: break
      }
      let asked: Duration? = if case .peerLeft(let goodbye) = end { goodbye.retryAfter.map { .milliseconds($0) } } else { nil }
      let pause = policy.pause(failures: min(failures, 4), asked: asked, chance: .random(in: 0..<1))
      do { try await Task.sleep(for: pause) } catch { return .stopping }
    }
  }

  /// Holds one session with an executor's task port.
  package func dialOnce(host: String, port: Int) async -> SessionEnd {
    await holdSession { connection in
      let transport = try Transports.client(ClientTransportSettings(host: host, port: port))
      try await withGRPCClient(transport: transport) { client in
        var options = CallOptions.defaults
        options.waitForReady = false
        try await Ponos_V1_TaskStreamService.Client(wrapping: client).openSession(options: options) { writer in
          await withTaskExecutorPreference(globalConcurrentExecutor) { await connection.write(to: writer) }
        } onResponse: { response in
          await withTaskExecutorPreference(globalConcurrentExecutor) { await connection.run(reading: response.messages) }
        }
      }
    }
  }
}

/// The service that executors dial.
package struct AggregatorServiceHandler: Ponos_V1_AggregatorService.SimpleServiceProtocol {
  private let submitter: StreamSubmitter

  package init(submitter: StreamSubmitter) {
    self.submitter = submitter
  }

  package func openSession(
    request: RPCAsyncSequence<Ponos_V1_ExecutorMessage, any Error>, response: RPCWriter<Ponos_V1_AggregatorMessage>,
    context: ServerContext
  ) async throws {
    _ = await submitter.holdSession { connection in
      await withTaskGroup(of: Void.self) { group in
        group.addTask { await connection.write(to: response) }
        await connection.run(reading: request)
        group.cancelAll()
      }
    }
  }
}
