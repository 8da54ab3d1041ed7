import Logging
import PonosCore
import PonosDocker

/// Compares what the engine holds of this installation with what should be there, and puts it right: supervisors hear of
/// containers that ended unnoticed; containers and networks that belong to nobody are removed.
struct EngineComparison: Sendable {
  let runtime: DockerRuntime
  let networks: PerformerNetworks
  let statuses: PerformerStatusTable
  let desk: PerformerDesk
  let logger: Logger

  /// Throws when the engine does not answer. A container or network that cannot be removed waits for the next comparison.
  func run() async throws(DockerError) {
    // Asked before the list is made: a container created meanwhile is not missed.
    let expected = statuses.all.filter { $0.state == .running }
    let containers = try await runtime.ownContainers()
    report(expected, missingFrom: containers)
    for container in containers where !isClaimed(container) {
      try await attempt("container", container.id.prefix(12)) { () async throws(DockerError) in
        try await runtime.discard(container.id)
      }
    }
    try await removeDesertedNetworks()
  }

  private func report(_ expected: [PerformerSnapshot], missingFrom containers: [ReconciliationPlan.Container]) {
    let running = Set(containers.lazy.filter(\.isRunning).map(\.id))
    for entry in expected {
      guard let id = entry.containerID, !running.contains(id) else { continue }
      desk.mailbox(of: entry.performerID)?.post(.ended(containerID: id, reason: "does not run any more"))
    }
  }

  /// Looked up after the list was made. A performer that runs in another container has left this one behind; while it is being
  /// brought up or replaced, its containers are left to whoever does that.
  private func isClaimed(_ container: ReconciliationPlan.Container) -> Bool {
    guard let entry = container.performerID.flatMap(statuses.entry) else { return false }
    return entry.state != .running || entry.containerID == container.id
  }

  /// A deployment has its entry on the statuses before it looks for its network, and keeps everybody else off its AVS meanwhile.
  private func removeDesertedNetworks() async throws(DockerError) {
    for (avs, id) in try await networks.owned() {
      let outcome = await desk.exclusively(avs) { () async -> Result<Void, DockerError> in
        if statuses.all.contains(where: { $0.avs == avs }) { return .success(()) }
        do throws(DockerError) {
          try await attempt("network", id.prefix(12)) { () async throws(DockerError) in try await networks.remove(id: id) }
          return .success(())
        } catch {
          return .failure(error)
        }
      }
      try outcome?.get()
    }
  }

  private func attempt(
    _ kind: String, _ id: Substring, _ remove: () async throws(DockerError) -> Void
  ) async throws(DockerError) {
    do throws(DockerError) {
      try await remove()
      logger.notice("removed a \(kind) that no performer claims", metadata: ["id": "\(id)"])
    } catch {
      guard error.isFaultOfContainer else { throw error }
      logger.debug("a \(kind) that no performer claims cannot be removed", metadata: ["id": "\(id)", "reason": "\(error)"])
    }
  }
}
