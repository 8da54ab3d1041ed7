package import GRPCCore

/// What a pool has to know of a connection.
package protocol PooledConnection: Sendable, Identifiable where ID: Sendable {
  /// The place of the connection in the pool: one that is lost is replaced by another of the same lane.
  var lane: Int { get }
}

/// The connections of a client and the calls that wait for one, as a value that changes under a lock.
///
/// `Connection` and `Waiter` are opaque here, so that the rules can be tested without a network.
package struct ConnectionPoolState<Connection: PooledConnection, Waiter: Sendable>: Sendable {
  /// What a call is told.
  package enum Decision {
    case use(Connection)
    case fail(RPCError)
    /// Keep the waiter; it will be served or failed later.
    case wait
  }

  /// What a call asks for.
  package struct Wish: Sendable {
    /// Whether the call waits while no connection can be made, instead of failing.
    package var waitsForReady: Bool
    /// The only lane that will do; nil for any.
    package var lane: Int?

    package init(waitsForReady: Bool, lane: Int? = nil) {
      self.waitsForReady = waitsForReady
      self.lane = lane
    }

    func accepts(_ offered: Int) -> Bool { lane == nil || lane == offered }
  }

  private struct WaitingCall: Sendable {
    var number: UInt64
    var waiter: Waiter
    var wish: Wish
  }

  private var ready: [Connection] = []
  private var waiting: [WaitingCall] = []
  private var turn = 0
  /// Why the last attempt to connect failed, by lane; nothing after a success.
  private var failures: [Int: RPCError] = [:]
  private var isClosing = false

  package init() {}

  /// A connection for a call, if there is one or none can be hoped for.
  package mutating func pick(_ wish: Wish) -> Decision {
    guard !isClosing else { return .fail(Self.closing) }
    if let connection = next(wish) { return .use(connection) }
    if !wish.waitsForReady, let failure = failures.first(where: { wish.accepts($0.key) }) { return .fail(failure.value) }
    return .wait
  }

  /// Like ``pick(_:)``, and keeps the waiter if it has to wait.
  package mutating func pick(_ wish: Wish, number: UInt64, waiter: Waiter) -> Decision {
    let decision = pick(wish)
    if case .wait = decision { waiting.append(WaitingCall(number: number, waiter: waiter, wish: wish)) }
    return decision
  }

  /// Connections take turns.
  private mutating func next(_ wish: Wish) -> Connection? {
    guard !ready.isEmpty else { return nil }
    if wish.lane != nil { return ready.first { wish.accepts($0.lane) } }
    turn = (turn + 1) % ready.count
    return ready[turn]
  }

  /// Gives up on a waiting call; returns its waiter if it still waits.
  package mutating func cancel(_ number: UInt64) -> Waiter? {
    guard let index = waiting.firstIndex(where: { $0.number == number }) else { return nil }
    return waiting.remove(at: index).waiter
  }

  /// Whether a connection that closed for lack of calls has to be opened again.
  package var hasWaiters: Bool { !waiting.isEmpty }

  /// Adds a connection; returns the calls it serves. Nil when the client is closing.
  package mutating func add(_ connection: Connection) -> [Waiter]? {
    guard !isClosing else { return nil }
    failures[connection.lane] = nil
    ready.append(connection)
    return takeWaiting { $0.accepts(connection.lane) }
  }

  /// Removes a connection that has closed or takes no more calls.
  package mutating func remove(_ id: Connection.ID) {
    ready.removeAll { $0.id == id }
  }

  /// Notes a failed attempt to connect; returns the calls that are not prepared to wait for the next.
  package mutating func connectFailed(lane: Int, _ error: RPCError) -> [Waiter] {
    failures[lane] = error
    return takeWaiting { $0.accepts(lane) && !$0.waitsForReady }
  }

  /// Takes no more calls; returns the connections to drain and the calls that will never get one.
  package mutating func close() -> (connections: [Connection], unserved: [Waiter]) {
    isClosing = true
    return (ready, takeWaiting { _ in true })
  }

  private mutating func takeWaiting(_ condition: (Wish) -> Bool) -> [Waiter] {
    let taken = waiting.filter { condition($0.wish) }
    waiting.removeAll { condition($0.wish) }
    return taken.map(\.waiter)
  }

  package static var closing: RPCError {
    RPCError(code: .failedPrecondition, message: "the client is closing and takes no more calls")
  }
}
