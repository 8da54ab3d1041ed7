import Logging
import PonosCore
import PonosDocker
import Synchronization

/// Something that happened to a container of ours.
enum ContainerEvent: Sendable, Equatable {
  case ended(performerID: String, containerID: String, reason: String)
  /// A process in it exceeded the memory limit; the container may go on.
  case outOfMemory(performerID: String, containerID: String)
}

/// Listens to the engine and tells of containers that ended, whatever happens to the engine meanwhile.
///
/// The engine's stream ends when the engine does, and forgets what nobody heard. So after every connection, and every now and then,
/// all containers are listed and compared with what should be running.
struct ContainerEventFeed: Sendable {
  let runtime: DockerRuntime
  let logger: Logger
  /// Time between two comparisons.
  var resyncInterval = Duration.seconds(30)
  /// Delays between attempts to reach an engine that is down.
  var reconnect = RestartPolicy(firstDelay: .milliseconds(200), longestDelay: .seconds(5))
  let deliver: @Sendable (ContainerEvent) -> Void
  /// Compares the containers of the engine with what should be there.
  let compare: @Sendable () async throws(DockerError) -> Void

  /// Listens until cancelled.
  func run() async {
    await withDiscardingTaskGroup { group in
      group.addTask { await resyncPeriodically() }
      await listen()
      group.cancelAll()
    }
  }

  private func listen() async {
    var failures = 0
    while !Task.isCancelled {
      let (wasConnected, problem) = await listenOnce()
      if Task.isCancelled { return }
      failures = wasConnected ? 1 : failures + 1
      if failures == 1 {
        logger.warning("the event stream of Docker ended; listening again", metadata: ["reason": "\(problem)"])
      }
      try? await Task.sleep(for: reconnect.delay(beforeAttempt: failures))
    }
  }

  /// Returns when the stream ends: whether it had been opened, and why it ended.
  private func listenOnce() async -> (wasConnected: Bool, problem: String) {
    let wasConnected = Atomic(false)
    do throws(DockerError) {
      // The engine may have come back as another version.
      try await runtime.docker.renegotiate()
      try await runtime.events {
        wasConnected.store(true, ordering: .relaxed)
        try await compare()
      } handle: { event in
        if let event = Self.event(event) { deliver(event) }
      }
      return (true, "the engine closed it")
    } catch {
      return (wasConnected.load(ordering: .relaxed), error.description)
    }
  }

  private func resyncPeriodically() async {
    while !Task.isCancelled {
      try? await Task.sleep(for: resyncInterval)
      if Task.isCancelled { return }
      do throws(DockerError) { try await compare() } catch {
        logger.debug("containers cannot be listed", metadata: ["reason": "\(error)"])
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
