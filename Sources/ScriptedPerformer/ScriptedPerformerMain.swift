import Foundation
import PonosPerformerTesting

/// The performer of ``PonosPerformerTesting``, alone in a container. Its environment scripts what payloads cannot:
///
/// * `SCRIPT`: what to do with every task, instead of what its payload says (same words)
/// * `SCRIPT_WIRE`: when set, payloads are the words of ``HostilePerformer``; with `http`, of ``HostileHTTPPerformer``
/// * `SCRIPT_HEALTH`: `serving`, `not-serving`, `missing`, `hang`
/// * `SCRIPT_START_DELAY_MS`: how long to wait before binding the port
/// * `SCRIPT_LIFETIME_MS`: when to exit with status 3
/// * `SCRIPT_IGNORE_TERM`: when set, SIGTERM does nothing, as with any first process of a container that has no handler
@main
struct ScriptedPerformerMain {
  static func main() async throws {
    let environment = ProcessInfo.processInfo.environment
    func milliseconds(_ name: String) -> Duration? { environment[name].flatMap { Int($0) }.map { .milliseconds($0) } }
    let health = environment["SCRIPT_HEALTH"].flatMap { ScriptedPerformer.Health(rawValue: $0) } ?? .serving
    if environment["SCRIPT_IGNORE_TERM"] == nil { signal(SIGTERM) { _ in _exit(0) } }
    let performer =
      if let script = environment["SCRIPT"] {
        ScriptedPerformer(health: health) { _ in ScriptedBehaviour(payload: Array(script.utf8)) }
      } else {
        ScriptedPerformer(health: health)
      }
    try await Task.sleep(for: milliseconds("SCRIPT_START_DELAY_MS") ?? .zero)
    try await withThrowingTaskGroup(of: Void.self) { group in
      if let lifetime = milliseconds("SCRIPT_LIFETIME_MS") {
        group.addTask {
          try await Task.sleep(for: lifetime)
          exit(3)
        }
      }
      let port = environment["PORT"].flatMap { Int($0) } ?? 8080
      switch environment["SCRIPT_WIRE"] {
      case "http": return try await HostileHTTPPerformer.serve(port: port)
      case nil: break
      default: return try await HostilePerformer().serve(port: port)
      }
      try await performer.serve(port: port)
    }
  }
}
