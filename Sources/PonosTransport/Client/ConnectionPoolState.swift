package import GRPCCore

/// What a pool has to know of a connection.
package protocol PooledConnection: Sendable, Identifiable where ID: Sendable {
  /// The place of the connection in the pool: one that is lost is replaced by another of the same lane.
  var lane: Int { get }
  /// Calls the connection can carry at once, at least one; the peer may change its mind about it.
  var callLimit: Int { get }
}

/// The connections of a client and the calls that wait for one, as a value that changes under a lock.
///
/// A connection carries as many calls as its peer allows. Calls beyond that wait here, where the first connection that has room
/// again serves them, and ask for one connection more.
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

  /// A call that waited, and what it got.
  package struct Service: Sendable {
    package var waiter: Waiter
    package var connection: Connection
  }

  private struct WaitingCall: Sendable {
    var number: UInt64
    var waiter: Waiter
    var wish: Wish
  }

  private struct Member: Sendable {
    var connection: Connection
    /// Opened because the others were full.
    var isExtra: Bool
    var calls = 0

    func takes(_ wish: Wish) -> Bool { wish.accepts(connection.lane) && calls < connection.callLimit }
  }

  private let lanes: Int
  private let maxConnections: Int
  private var ready: [Member] = []
  private var waiting: [WaitingCall] = []
  private var turn = 0
  /// Why the last attempt to connect failed, by lane; nothing after a success.
  private var failures: [Int: RPCError] = [:]
  private var isGrowing = false
  private var isClosing = false

  /// - Parameters:
  ///   - lanes: connections that are kept whatever there is to do.
  ///   - maxConnections: connections there may be while calls wait for room.
  package init(lanes: Int = 1, maxConnections: Int = 1) {
    self.lanes = lanes
    self.maxConnections = maxConnections
  }

  // MARK: Calls

  /// A connection for a call, if there is one or none can be hoped for. The call has to be given back by ``callEnded(on:)``.
  package mutating func pick(_ wish: Wish) -> Decision {
    guard !isClosing else { return .fail(Self.closing) }
    if let connection = take(wish) { return .use(connection) }
    if !wish.waitsForReady, !hasConnection(for: wish), let failure = failures.first(where: { wish.accepts($0.key) }) {
      return .fail(failure.value)
    }
    return .wait
  }

  /// Like ``pick(_:)``, and keeps the waiter if it has to wait.
  package mutating func pick(_ wish: Wish, number: UInt64, waiter: Waiter) -> Decision {
    let decision = pick(wish)
    if case .wait = decision { waiting.append(WaitingCall(number: number, waiter: waiter, wish: wish)) }
    return decision
  }

  /// Gives up on a waiting call; returns its waiter if it still waits.
  package mutating func cancel(_ number: UInt64) -> Waiter? {
    guard let index = waiting.firstIndex(where: { $0.number == number }) else { return nil }
    return waiting.remove(at: index).waiter
  }

  /// Notes the end of a call; returns the calls that have room now.
  package mutating func callEnded(on id: Connection.ID) -> [Service] {
    guard let index = ready.firstIndex(where: { $0.connection.id == id }) else { return [] }
    ready[index].calls -= 1
    return serveWaiting()
  }

  /// Whether a connection that closed for lack of calls has to be opened again.
  package var hasWaiters: Bool { !waiting.isEmpty }

  private mutating func take(_ wish: Wish) -> Connection? {
    guard let index = next(wish) else { return nil }
    ready[index].calls += 1
    return ready[index].connection
  }

  /// Connections take turns; extra ones are used when all others are full, so that they come to rest in quieter times.
  private mutating func next(_ wish: Wish) -> Int? {
    for step in 0..<ready.count {
      let index = (turn + 1 + step) % ready.count
      if !ready[index].isExtra, ready[index].takes(wish) {
        turn = index
        return index
      }
    }
    return ready.firstIndex { $0.isExtra && $0.takes(wish) }
  }

  private func hasConnection(for wish: Wish) -> Bool {
    ready.contains { wish.accepts($0.connection.lane) }
  }

  // MARK: Connections

  /// Adds a connection; returns the calls it serves. Nil when the client is closing.
  package mutating func add(_ connection: Connection, isExtra: Bool = false) -> [Service]? {
    guard !isClosing else { return nil }
    failures[connection.lane] = nil
    ready.append(Member(connection: connection, isExtra: isExtra))
    return serveWaiting()
  }

  /// Removes a connection that has closed or takes no more calls.
  package mutating func remove(_ id: Connection.ID) {
    ready.removeAll { $0.connection.id == id }
  }

  /// Notes a failed attempt to connect; returns the calls that are not prepared to wait for the next, and have nothing else to
  /// wait for.
  package mutating func connectFailed(lane: Int, _ error: RPCError) -> [Waiter] {
    failures[lane] = error
    return takeWaiting { [self] in $0.accepts(lane) && !$0.waitsForReady && !hasConnection(for: $0) }
  }

  /// Takes no more calls; returns the connections to drain and the calls that will never get one.
  package mutating func close() -> (connections: [Connection], unserved: [Waiter]) {
    isClosing = true
    return (ready.map(\.connection), takeWaiting { _ in true })
  }

  // MARK: Growth

  /// The lane that one more connection is to be opened for, as calls wait for room; nil while it is not needed, not allowed, or
  /// being opened. ``didGrow()`` has to follow.
  package mutating func grow() -> Int? {
    guard !isClosing, !isGrowing, ready.count >= lanes, ready.count < maxConnections else { return nil }
    guard let call = waiting.first(where: { hasConnection(for: $0.wish) }) else { return nil }
    isGrowing = true
    return call.wish.lane ?? ready.count % lanes
  }

  /// Notes the end of an attempt to open one more connection; returns the lane for the next.
  package mutating func didGrow() -> Int? {
    isGrowing = false
    return grow()
  }

  // MARK: Waiting calls

  private mutating func serveWaiting() -> [Service] {
    var served: [Service] = []
    var index = 0
    while index < waiting.count {
      if let connection = take(waiting[index].wish) {
        served.append(Service(waiter: waiting.remove(at: index).waiter, connection: connection))
      } else if waiting[index].wish.lane == nil {
        // No connection has room.
        break
      } else {
        index += 1
      }
    }
    return served
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
