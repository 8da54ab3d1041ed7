import GRPCCore
import Logging
import PonosAPI
import PonosCore
import PonosTransport
import ServiceLifecycle

/// Keeps a session with one aggregator of the configuration, and opens another whenever it is lost.
struct AggregatorDialer: Sendable {
  let aggregator: AggregatorConfig
  let desk: SessionDesk
  let policy: ReconnectPolicy
  let logger: Logger

  /// Until the desk stops or the task is cancelled.
  func run() async {
    var failures = 0
    while !Task.isCancelled, !desk.isStopped {
      let (end, wasEstablished) = await holdSession()
      if desk.isStopped { return }
      failures = wasEstablished ? 1 : failures + 1
      let asked: Duration? = if case .peerLeft(let goodbye) = end { goodbye.retryAfter.map { .milliseconds($0) } } else { nil }
      let pause = policy.pause(failures: failures, asked: asked, chance: .random(in: 0..<1))
      log(end, failures: failures, pause: pause)
      do { try await cancelWhenGracefulShutdown { try await Task.sleep(for: pause) } } catch { return }
    }
  }

  private func holdSession() async -> (end: SessionEnd, wasEstablished: Bool) {
    let outcome = await desk.withSession(wanted: aggregator.party) { session in
      (await hold(session), session.wasEstablished)
    }
    return outcome ?? (.unavailable(code: "too_many_sessions", message: "as many sessions are open as there may be"), false)
  }

  /// On a connection of its own. The call's task lives on the connection's event loop, which must not verify signatures.
  private func hold(_ session: AggregatorSession) async -> SessionEnd {
    do {
      let transport = try Transports.client(ClientTransportSettings(host: aggregator.host, port: aggregator.port))
      return try await withGRPCClient(transport: transport) { client in
        var options = CallOptions.defaults
        options.waitForReady = false
        return try await Ponos_V1_AggregatorService.Client(wrapping: client).openSession(options: options) { writer in
          await withTaskExecutorPreference(globalConcurrentExecutor) { await session.write(to: writer) }
        } onResponse: { response in
          await withTaskExecutorPreference(globalConcurrentExecutor) { await session.run(reading: response.messages) }
        }
      }
    } catch {
      return .disconnected("\(error)")
    }
  }

  private func log(_ end: SessionEnd, failures: Int, pause: Duration) {
    logger.log(
      // Once when it begins; an aggregator that is away for a night is no night of warnings.
      level: failures == 1 ? .warning : .debug, "no session with an aggregator; it is dialled again",
      metadata: [
        LogKey.aggregator: "\(aggregator.party.aggregator)", LogKey.avs: "\(aggregator.party.avs)",
        "address": "\(aggregator.host):\(aggregator.port)", LogKey.code: "\(end.code)", LogKey.error: "\(end.message)",
        "pause_ms": "\(pause.milliseconds)",
      ])
  }
}
