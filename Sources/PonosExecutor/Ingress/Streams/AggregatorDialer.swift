import GRPCCore
import Logging
import PonosAPI
import PonosConfiguration
import PonosCore
import PonosSystem
import PonosTelemetry
import PonosTransport
import ServiceLifecycle

/// Keeps a session with one aggregator of the configuration, and opens another whenever it is lost.
struct AggregatorDialer: Sendable {
  let aggregator: AggregatorConfig
  let sessions: SessionRegistry
  let policy: ReconnectPolicy
  let logger: Logger

  /// Dials until the registry stops or the task is cancelled.
  func run() async {
    var failures = 0
    while !Task.isCancelled, !sessions.isStopped {
      // The aggregator has opened a session itself. Another one would supersede it.
      if sessions.hasSession(with: aggregator.owner) {
        guard await sleep(policy.maximum) else { return }
        continue
      }
      let start = ContinuousClock.now
      let (end, wasEstablished) = await holdSession()
      if sessions.isStopped { return }
      failures = policy.failures(before: failures, sessionLasted: wasEstablished ? ContinuousClock.now - start : nil)
      let pause = policy.pause(failures: failures, asked: asked(by: end), chance: .random(in: 0..<1))
      log(end, failures: failures, pause: pause)
      guard await sleep(pause) else { return }
    }
  }

  /// Returns false when the daemon stops.
  private func sleep(_ pause: Duration) async -> Bool {
    do { try await cancelWhenGracefulShutdown { try await Task.sleep(for: pause) } } catch { return false }
    return true
  }

  /// The pause that the peer asked for. A peer that wants no further session is still dialled, since its configuration may
  /// change.
  private func asked(by end: SessionEnd) -> Duration? {
    guard case .peerLeft(let goodbye) = end else { return nil }
    return goodbye.retryAfter.map { .milliseconds($0) } ?? policy.maximum
  }

  private func holdSession() async -> (end: SessionEnd, wasEstablished: Bool) {
    let outcome = await sessions.withSession(wanted: aggregator.owner) { session in await hold(session) }
    return outcome ?? (.unavailable(code: "too_many_sessions", message: "as many sessions are open as there may be"), false)
  }

  /// Makes the call that carries the session. It ends with the session, even if the aggregator accepted it and then fell silent.
  private func hold(_ session: AggregatorSession) async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await call(session) }
      group.addTask { await session.hasEnded() }
      await group.next()
      group.cancelAll()
    }
  }

  /// Makes the call on a connection of its own. Its task runs on the event loop, which must not verify signatures.
  private func call(_ session: AggregatorSession) async {
    do {
      let transport = try Transports.client(ClientTransportSettings(host: aggregator.host, port: aggregator.port))
      try await withGRPCClient(transport: transport) { client in
        var options = CallOptions.defaults
        options.waitForReady = false
        try await Ponos_V1_AggregatorService.Client(wrapping: client).openSession(options: options) { writer in
          await withTaskExecutorPreference(globalConcurrentExecutor) { await session.write(to: writer) }
        } onResponse: { response in
          await withTaskExecutorPreference(globalConcurrentExecutor) { await session.run(reading: response.messages) }
        }
      }
    } catch {
      session.end(.disconnected("\(error)"))
    }
  }

  private func log(_ end: SessionEnd, failures: Int, pause: Duration) {
    logger.log(
      // One warning when it begins: an aggregator that is away for a night is no night of warnings.
      level: failures == 1 ? .warning : .debug, "no session with an aggregator; it is dialled again",
      metadata: [
        LogKey.aggregator: "\(aggregator.owner.aggregator)", LogKey.avs: "\(aggregator.owner.avs)",
        LogKey.peer: "\(aggregator.host):\(aggregator.port)", LogKey.code: "\(end.code)", LogKey.error: "\(end.message)",
        LogKey.delay: "\(pause.seconds)",
      ])
  }
}
