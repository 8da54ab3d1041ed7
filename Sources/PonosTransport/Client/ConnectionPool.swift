import GRPCCore
import NIOCore
import Synchronization

/// Keeps the connections of a client open and finds one for each call.
final class ConnectionPool: Sendable {
  typealias Waiter = CheckedContinuation<ClientConnection, any Error>

  private let connector: ClientConnector
  private let settings: ClientTransportSettings
  private let stop: StopSignal
  private let state = Mutex(ConnectionPoolState<ClientConnection, Waiter>())
  private let callNumbers = Atomic<UInt64>(0)
  private let demand = Mutex<[EventLoopPromise<Void>]>([])

  init(_ settings: ClientTransportSettings, connector: ClientConnector, stop: StopSignal) {
    self.settings = settings
    self.connector = connector
    self.stop = stop
  }

  /// Keeps connections open until ``close()`` is called and the last one has closed; cancelling closes them at once.
  func run() async {
    await withDiscardingTaskGroup { group in
      for _ in 0..<max(1, settings.connections) { group.addTask { await self.keepConnection() } }
    }
    close()
  }

  /// Takes no more calls and lets those that are open end.
  func close() {
    stop.set()
    let (connections, unserved) = state.withLock { $0.close() }
    for waiter in unserved {
      waiter.resume(throwing: ConnectionPoolState<ClientConnection, Waiter>.closing)
    }
    for connection in connections { connection.beginShutdown() }
  }

  /// A connection for one call.
  func connection(waitsForReady: Bool) async throws -> ClientConnection {
    switch state.withLock({ $0.pick(waitsForReady: waitsForReady) }) {
    case .use(let connection): return connection
    case .fail(let error): throw error
    case .wait: return try await waitForConnection(waitsForReady: waitsForReady)
    }
  }

  private func waitForConnection(waitsForReady: Bool) async throws -> ClientConnection {
    let number = callNumbers.wrappingAdd(1, ordering: .relaxed).newValue
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        enqueue(continuation, number: number, waitsForReady: waitsForReady, isCancelled: Task.isCancelled)
      }
    } onCancel: {
      state.withLock { $0.cancel(number) }?.resume(throwing: Self.cancelled)
    }
  }

  private func enqueue(_ waiter: Waiter, number: UInt64, waitsForReady: Bool, isCancelled: Bool) {
    guard !isCancelled else {
      waiter.resume(throwing: Self.cancelled)
      return
    }
    switch state.withLock({ $0.pick(waitsForReady: waitsForReady, number: number, waiter: waiter) }) {
    case .use(let connection): waiter.resume(returning: connection)
    case .fail(let error): waiter.resume(throwing: error)
    case .wait: for promise in takeDemand() { promise.succeed() }
    }
  }

  private static var cancelled: RPCError {
    RPCError(code: .cancelled, message: "the task was cancelled while its call waited for a connection")
  }

  // MARK: One connection

  /// Opens a connection, again whenever it is lost, with growing pauses while that fails.
  private func keepConnection() async {
    var backoff = Backoff(initial: settings.initialBackoff, maximum: settings.maxBackoff)
    var generator = SystemRandomNumberGenerator()
    while !stop.isSet, !Task.isCancelled {
      do {
        let connection = try await connector.connect()
        let opened = ContinuousClock.now
        try await serve(connection)
        // A server that hangs up as soon as it has greeted is as good as one that cannot be reached.
        if opened.duration(to: .now) > settings.maxBackoff {
          backoff.reset()
        } else {
          await pause(backoff.next(using: &generator))
        }
      } catch {
        guard !stop.isSet, !Task.isCancelled else { return }
        failWaiters(error)
        await pause(backoff.next(using: &generator))
      }
    }
  }

  private func pause(_ duration: Duration) async {
    let timer = connector.group.any().scheduleTask(in: TimeAmount(duration)) {}
    // The pause ends early only to stop, which the caller's loop sees.
    _ = try? await stop.wait(for: timer.futureResult)
    timer.cancel()
  }

  /// Offers a connection to calls until it closes; after a rest it is opened again on demand only.
  private func serve(_ connection: ClientConnection) async throws {
    guard let (number, served) = state.withLock({ $0.add(connection) }) else {
      connection.beginShutdown()
      return
    }
    connection.handler.onDraining { self.state.withLock { $0.remove(number) } }
    for waiter in served { waiter.resume(returning: connection) }
    await withTaskCancellationHandler {
      _ = try? await connection.channel.closeFuture.get()
    } onCancel: {
      connection.channel.close(promise: nil)
    }
    state.withLock { $0.remove(number) }
    if try await connection.handler.closedForIdleness() { try await waitForDemand() }
  }

  private func waitForDemand() async throws {
    let promise = connector.group.any().makePromise(of: Void.self)
    demand.withLock { $0.append(promise) }
    // A call that began to wait before the promise was there has to be served as well.
    if state.withLock({ $0.hasWaiters }) { promise.succeed() }
    defer { promise.succeed() }
    try await stop.wait(for: promise.futureResult)
  }

  private func takeDemand() -> [EventLoopPromise<Void>] {
    demand.withLock { promises in
      defer { promises.removeAll() }
      return promises
    }
  }

  private func failWaiters(_ error: any Error) {
    let failure = RPCError(code: .unavailable, message: "no connection to the server: \(error)")
    for waiter in state.withLock({ $0.connectFailed(failure) }) { waiter.resume(throwing: failure) }
  }
}
