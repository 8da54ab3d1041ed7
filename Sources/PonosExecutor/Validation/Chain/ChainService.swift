import Logging
import PonosChain
import PonosTelemetry
import ServiceLifecycle

/// Follows the chain while the daemon runs, and ends it when the chain shows that nothing signed here would be accepted.
struct ChainService: Service {
  let access: ChainAccess
  /// Called when the chain answers for the first time, if it did not at the start.
  let onFirstAnswer: @Sendable () async -> Void
  let logger: Logger

  func run() async throws {
    try await cancelWhenGracefulShutdown {
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await checkDomain() }
        group.addTask { await follow() }
        // The check ends when it has succeeded, the loop when the daemon stops.
        for try await _ in group {}
      }
    }
  }

  private func follow() async {
    await access.reader.follow { [logger] error in
      if let error { logger.debug("the chain's head cannot be read", metadata: [LogKey.error: "\(error)"]) }
    }
  }

  /// Waits until the chain answers, then compares the domain that certificates are signed for.
  private func checkDomain() async throws {
    let wasKnown = access.reader.head != nil
    while !Task.isCancelled {
      do throws(DomainCheckError) {
        if access.reader.head != nil {
          try await access.checkDomain()
          break
        }
      } catch {
        if case .differs = error { throw error }
      }
      // Cancellation ends the loop.
      do { try await Task.sleep(for: .milliseconds(500)) } catch { return }
    }
    if !wasKnown { await onFirstAnswer() }
  }
}

/// Tells people what happens at endpoints, once for each change.
struct EndpointLog: Sendable {
  let logger: Logger

  func note(_ event: EndpointEvent) {
    switch event {
    case .request: return
    case .up(let host): logger.notice("an endpoint of the chain is asked", metadata: [LogKey.endpoint: "\(host)"])
    case .down(let host, let error):
      logger.warning(
        "an endpoint of the chain is left alone for a while",
        metadata: [LogKey.endpoint: "\(host)", LogKey.code: "\(error.code.rawValue)", LogKey.error: "\(error)"])
    case .disagreement(let camps, let call):
      logger.error(
        "endpoints of the chain disagree: the answer counts only if enough of them give it",
        metadata: [
          LogKey.endpoint: "\(camps.map { $0.joined(separator: ", ") }.joined(separator: " against "))", LogKey.call: "\(call)",
        ])
    }
  }
}
