import GRPCCore
import PonosAPI
import PonosTransport
import Synchronization

/// A performer whose every answer a test decides, well-behaved or not: see ``ScriptedBehaviour``.
///
/// Runs inside a test on loopback (``withServer(_:)``) or as the only process of a container (target `ScriptedPerformer`).
package final class ScriptedPerformer: Sendable {
  /// How the health service behaves.
  package enum Health: String, Sendable {
    case serving
    case notServing = "not-serving"
    /// Answers UNIMPLEMENTED, like a server without a health service.
    case missing
    /// Never answers.
    case hang
  }

  struct State {
    var health: Health
    var received: [String] = []
    var finished = 0
    var cancelled = 0
  }

  let state: Mutex<State>
  /// What to do with a task; by default what its payload says.
  let behaviour: @Sendable (_ payload: [UInt8]) -> ScriptedBehaviour

  package init(
    health: Health = .serving,
    behaviour: @escaping @Sendable (_ payload: [UInt8]) -> ScriptedBehaviour = { ScriptedBehaviour(payload: $0) }
  ) {
    state = Mutex(State(health: health))
    self.behaviour = behaviour
  }

  /// The ids of all tasks given so far, in the order they came.
  package var receivedTaskIDs: [String] { state.withLock { $0.received } }

  /// Whether the task was given once so far.
  func isFirst(_ taskID: String) -> Bool {
    state.withLock { state in state.received.count { $0 == taskID } == 1 }
  }

  /// Tasks whose answer was computed.
  package var finishedCount: Int { state.withLock { $0.finished } }

  /// Tasks that hung until their call was cancelled.
  package var cancelledCount: Int { state.withLock { $0.cancelled } }

  /// Changes what the health service says from now on.
  package func setHealth(_ health: Health) {
    state.withLock { $0.health = health }
  }

  /// Serves on a free port of 127.0.0.1 for as long as `body` runs.
  package func withServer<Result: Sendable>(_ body: @Sendable (_ port: Int) async throws -> Result) async throws -> Result {
    let transport = Transports.server(ServerTransportSettings(host: "127.0.0.1", port: 0))
    return try await withThrowingTaskGroup(of: Void.self) { group in
      let server = GRPCServer(transport: transport, services: services)
      group.addTask { try await server.serve() }
      let result = try await body(try await transport.boundPort())
      // Not gracefully: a task that hangs would never end.
      group.cancelAll()
      return result
    }
  }

  /// Serves on `port` of every address until the process ends.
  package func serve(port: Int) async throws {
    let transport = Transports.server(ServerTransportSettings(host: "0.0.0.0", port: port))
    try await GRPCServer(transport: transport, services: services).serve()
  }

  private var services: [any RegistrableRPCService] {
    [ScriptedTaskHandler(performer: self), ScriptedHealthHandler(performer: self)]
  }
}
