package import GRPCCore

/// The connections of a client and the calls that wait for one, as a value that changes under a lock.
///
/// `Connection` and `Waiter` are opaque here, so that the rules can be tested without a network.
package struct ConnectionPoolState<Connection: Sendable, Waiter: Sendable>: Sendable {
  /// What a call is told.
  package enum Decision {
    case use(Connection)
    case fail(RPCError)
    /// Keep the waiter; it will be served or failed later.
    case wait
  }

  private struct WaitingCall: Sendable {
    var number: UInt64
    var waiter: Waiter
    var waitsForReady: Bool
  }

  private var ready: [(number: Int, connection: Connection)] = []
  private var waiting: [WaitingCall] = []
  private var nextConnection = 0
  private var turn = 0
  private var lastFailure: RPCError?
  private var isClosing = false

  package init() {}

  /// A connection for a call, if there is one or none can be hoped for.
  package mutating func pick(waitsForReady: Bool) -> Decision {
    guard !isClosing else { return .fail(Self.closing) }
    if !ready.isEmpty {
      turn = (turn + 1) % ready.count
      return .use(ready[turn].connection)
    }
    if let lastFailure, !waitsForReady { return .fail(lastFailure) }
    return .wait
  }

  /// Like ``pick(waitsForReady:)``, and keeps the waiter if it has to wait.
  package mutating func pick(waitsForReady: Bool, number: UInt64, waiter: Waiter) -> Decision {
    let decision = pick(waitsForReady: waitsForReady)
    if case .wait = decision {
      waiting.append(WaitingCall(number: number, waiter: waiter, waitsForReady: waitsForReady))
    }
    return decision
  }

  /// Gives up on a waiting call; returns its waiter if it still waits.
  package mutating func cancel(_ number: UInt64) -> Waiter? {
    guard let index = waiting.firstIndex(where: { $0.number == number }) else { return nil }
    return waiting.remove(at: index).waiter
  }

  /// Whether a connection that closed for lack of calls has to be opened again.
  package var hasWaiters: Bool { !waiting.isEmpty }

  /// Adds a connection; returns its number and the calls it can serve. Nil when the client is closing.
  package mutating func add(_ connection: Connection) -> (number: Int, served: [Waiter])? {
    guard !isClosing else { return nil }
    lastFailure = nil
    nextConnection += 1
    ready.append((nextConnection, connection))
    defer { waiting.removeAll() }
    return (nextConnection, waiting.map(\.waiter))
  }

  /// Removes a connection that has closed or takes no more calls.
  package mutating func remove(_ number: Int) {
    ready.removeAll { $0.number == number }
  }

  /// Notes a failed attempt to connect; returns the calls that are not prepared to wait for the next.
  package mutating func connectFailed(_ error: RPCError) -> [Waiter] {
    guard ready.isEmpty else { return [] }
    lastFailure = error
    defer { waiting.removeAll { !$0.waitsForReady } }
    return waiting.filter { !$0.waitsForReady }.map(\.waiter)
  }

  /// Takes no more calls; returns the connections to drain and the calls that will never get one.
  package mutating func close() -> (connections: [Connection], unserved: [Waiter]) {
    isClosing = true
    defer { waiting.removeAll() }
    return (ready.map(\.connection), waiting.map(\.waiter))
  }

  package static var closing: RPCError {
    RPCError(code: .failedPrecondition, message: "the client is closing and takes no more calls")
  }
}
