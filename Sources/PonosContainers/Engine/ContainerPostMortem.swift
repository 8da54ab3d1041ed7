import PonosDocker

/// Why a container does not serve, as far as the engine can tell.
package struct ContainerPostMortem: Sendable, Equatable {
  /// A clause that continues "the container …".
  package let reason: String
  /// Whether the container is known not to run any more.
  package let hasEnded: Bool
  /// The last lines it wrote, oldest first.
  package let logTail: [String]

  fileprivate static let lines = 20
  /// UTF-8 bytes kept of a line.
  fileprivate static let lineLimit = 400
}

extension DockerRuntime {
  /// Looks at a container that failed. Never fails itself: what cannot be found out is said in the reason.
  func postMortem(of id: String) async -> ContainerPostMortem {
    do throws(DockerError) {
      let state = try await docker.container(id).state
      let log = try await docker.logTail(ofContainer: id, lines: ContainerPostMortem.lines)
      return ContainerPostMortem(
        reason: ContainerPostMortem.reason(state), hasEnded: !state.isRunning,
        logTail: log.map { LogLine.harmless($0, limit: ContainerPostMortem.lineLimit) })
    } catch {
      let isGone = error.code == .notFound
      return ContainerPostMortem(
        reason: isGone ? "was removed by someone else" : "cannot be examined: \(error)", hasEnded: isGone, logTail: [])
    }
  }
}

extension ContainerPostMortem {
  fileprivate static func reason(_ state: ContainerDetails.State) -> String {
    if state.isRunning { return "still runs" }
    if state.status == "created" { return "was never started" + (state.error.isEmpty ? "" : ": \(state.error)") }
    if state.wasOOMKilled { return "was killed for exceeding its memory limit (exit code \(state.exitCode))" }
    return ending(exitCode: state.exitCode)
  }

  /// What an exit code says.
  static func ending(exitCode: Int) -> String {
    switch exitCode {
    case 0: "ended by itself (exit code 0)"
    // The engine learns of a kill for memory by a message of its own, and does not wait for it.
    case 137: "was killed (exit code 137): by someone, or for exceeding its memory limit if the engine has missed that"
    case 139: "crashed with a segmentation fault (exit code 139)"
    case 134: "aborted (exit code 134)"
    case 143: "was terminated (exit code 143)"
    default: "ended with exit code \(exitCode)"
    }
  }
}
