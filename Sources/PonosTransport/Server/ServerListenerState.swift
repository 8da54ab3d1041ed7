import GRPCCore
import NIOCore

/// What a listener is doing, and who waits for it: changes under a lock, decides nothing by itself.
struct ServerListenerState: Sendable {
  enum Phase {
    /// Nobody has asked the server to listen.
    ///
    /// Can transition to ``listening``, ``stopped``.
    case idle
    /// Sockets are being bound or accept connections.
    ///
    /// Can transition to ``draining``, ``stopped``.
    case listening
    /// No connections are taken; those that are open finish their calls.
    ///
    /// Can transition to ``stopped``.
    case draining
    /// Everything is closed, or closing.
    ///
    /// This state is terminal.
    case stopped
  }

  private(set) var phase = Phase.idle
  var methods: [String: ServedMethod] = [:]
  private var listeners: [any Channel] = []
  private var connections: [ObjectIdentifier: any Channel] = [:]
  private var bound: Result<SocketAddress, any Error>?
  private var boundWaiters: [CheckedContinuation<SocketAddress, any Error>] = []
  private var emptyWaiter: CheckedContinuation<Void, Never>?

  /// Enters the listening phase; false when a shutdown was requested before.
  mutating func begin() -> Bool {
    guard phase == .idle else { return false }
    phase = .listening
    return true
  }

  /// Takes note of bound sockets; false when they have to be closed again.
  mutating func didBind(_ channels: [any Channel]) -> Bool {
    guard phase == .listening else { return false }
    listeners = channels
    return true
  }

  /// Remembers the outcome of binding; returns who waited for it.
  mutating func settleBound(
    _ result: Result<SocketAddress, any Error>
  ) -> [CheckedContinuation<SocketAddress, any Error>] {
    guard bound == nil else { return [] }
    bound = result
    defer { boundWaiters.removeAll() }
    return boundWaiters
  }

  /// The outcome of binding if it is known; otherwise keeps `waiter` for later.
  mutating func awaitBound(
    _ waiter: CheckedContinuation<SocketAddress, any Error>
  ) -> Result<SocketAddress, any Error>? {
    if let bound { return bound }
    boundWaiters.append(waiter)
    return nil
  }

  /// Adds a connection; false when none are taken any more.
  mutating func add(_ channel: any Channel) -> Bool {
    guard phase == .listening else { return false }
    connections[ObjectIdentifier(channel)] = channel
    return true
  }

  /// Removes a connection; returns who waits for the last of them.
  mutating func remove(_ channel: any Channel) -> CheckedContinuation<Void, Never>? {
    connections[ObjectIdentifier(channel)] = nil
    guard connections.isEmpty else { return nil }
    defer { emptyWaiter = nil }
    return emptyWaiter
  }

  /// Keeps `waiter` until the last connection has gone; false when it already has.
  mutating func awaitEmpty(_ waiter: CheckedContinuation<Void, Never>) -> Bool {
    guard !connections.isEmpty else { return false }
    emptyWaiter = waiter
    return true
  }

  /// Stops taking connections; returns the sockets to close and the connections to drain.
  mutating func beginDraining() -> (listeners: [any Channel], connections: [any Channel]) {
    guard phase == .idle || phase == .listening else { return ([], []) }
    phase = phase == .idle ? .stopped : .draining
    defer { listeners.removeAll() }
    return (listeners, Array(connections.values))
  }

  /// Stops everything; returns all that has to be closed.
  mutating func stop() -> [any Channel] {
    phase = .stopped
    defer { listeners.removeAll() }
    return listeners + connections.values
  }
}
