import Logging
import PonosCore
import PonosDocker
import PonosTelemetry
import Synchronization

/// Something that happened to a container of ours.
enum ContainerEvent: Sendable, Equatable {
  case ended(performerID: String, containerID: String, reason: String)
  /// A process in it exceeded the memory limit; the container may go on.
  case outOfMemory(performerID: String, containerID: String)
}

/// Listens to the engine and tells of containers that ended, also when the engine goes away and comes back.
///
/// The engine's stream ends when the engine does, and does not repeat what happened meanwhile. So after every connection, and at
/// intervals, all containers are listed and compared with what should be running.
struct ContainerEventFeed: Sendable {
  let runtime: DockerRuntime
  let logger: Logger
  /// Time between two comparisons.
  var comparisonInterval = Duration.seconds(30)
  /// Delays between attempts to reach an engine that is down.
  var reconnect = RestartPolicy.engine
  /// Time an event stream has to last before earlier failures are forgotten: an engine that ends every stream at once, or a
  /// comparison that fails each time, must not be asked without a pause.
  var steadyPeriod = Duration.seconds(10)
  let deliver: @Sendable (ContainerEvent) -> Void
  /// Compares the containers of the engine with what should be there.
  let compare: @Sendable () async throws(DockerError) -> Void

  /// Listens until cancelled.
  func run() async {
    await withDiscardingTaskGroup { group in
      group.addTask { await comparePeriodically() }
      await listen()
      group.cancelAll()
    }
  }

  private func listen() async {
    var failures = 0
    var weakness: String?
    while !Task.isCancelled {
      await warn(ofWeakness: &weakness)
      let (lasted, problem) = await listenOnce()
      if Task.isCancelled { return }
      failures = lasted >= steadyPeriod ? 1 : failures + 1
      if failures == 1 {
        logger.warning("the event stream of Docker ended; listening again", metadata: [LogKey.error: "\(problem)"])
      }
      try? await Task.sleep(for: reconnect.delay(beforeAttempt: failures))
    }
  }

  /// The engine may have come back with other settings: says so once for each time they got worse.
  private func warn(ofWeakness known: inout String?) async {
    do throws(DockerError) {
      // It may have come back as another version, too.
      try await runtime.docker.renegotiate()
      let weakness = try await runtime.missingSeccomp()
      if let weakness, weakness != known { logger.warning("\(weakness)") }
      known = weakness
    } catch {
      logger.debug("the engine's settings cannot be read", metadata: [LogKey.error: "\(error)"])
    }
  }

  /// Returns when the stream ends: how long it lasted once everything had been compared, and why it ended.
  private func listenOnce() async -> (lasted: Duration, problem: String) {
    let steadySince = Mutex<ContinuousClock.Instant?>(nil)
    let problem: String
    do throws(DockerError) {
      try await runtime.events {
        try await compare()
        steadySince.withLock { $0 = .now }
      } handle: { event in
        if let event = Self.event(event) { deliver(event) }
      }
      problem = "the engine closed it"
    } catch {
      problem = error.description
    }
    return (steadySince.withLock(\.self).map { ContinuousClock.now - $0 } ?? .zero, problem)
  }

  private func comparePeriodically() async {
    while !Task.isCancelled {
      try? await Task.sleep(for: comparisonInterval)
      if Task.isCancelled { return }
      do throws(DockerError) { try await compare() } catch {
        logger.debug("containers cannot be compared", metadata: [LogKey.error: "\(error)"])
      }
    }
  }

  private static func event(_ event: EngineEvent) -> ContainerEvent? {
    guard let performer = event.attributes[ContainerLabels.performer] else { return nil }
    switch event.action {
    case "die":
      let code = event.attributes["exitCode"].flatMap { Int($0) }
      let reason = code.map(ContainerPostMortem.ending(exitCode:)) ?? "ended"
      return .ended(performerID: performer, containerID: event.actorID, reason: reason)
    case "oom": return .outOfMemory(performerID: performer, containerID: event.actorID)
    default: return nil
    }
  }
}
