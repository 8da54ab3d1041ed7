import GRPCCore
import NIOCore
import Synchronization

/// Keeps the connections of a client open and finds one for each call.
///
/// Each lane has one connection that takes calls, and more of them while that is full. All connections of a lane live on one event
/// loop, so that a call whose connection closes before the call begins can move to the next.
final class ConnectionPool: Sendable {
  typealias Waiter = CheckedContinuation<ClientConnection, any Error>
  private typealias State = ConnectionPoolState<ClientConnection, Waiter>

  private let connector: ClientConnector
  private let settings: ClientTransportSettings
  private let stop: StopSignal
  private let state: Mutex<State>
  /// The event loop of each lane.
  private let loops: [any EventLoop]
  /// Lanes that need one connection more.
  private let (crowded, crowding) = AsyncStream.makeStream(of: Int.self)
  private let callNumbers = Atomic<UInt64>(0)
  private let demand = Mutex<[EventLoopPromise<Void>]>([])

  init(_ settings: ClientTransportSettings, connector: ClientConnector, stop: StopSignal) {
    self.settings = settings
    self.connector = connector
    self.stop = stop
    loops = (0..<max(1, settings.connections)).map { _ in connector.nextEventLoop() }
    state = Mutex(State(lanes: loops.count, maxConnections: settings.maxConnections))
  }

  /// Keeps connections open until ``close()`` is called and the last one has closed; cancelling closes them at once.
  func run() async {
    await withDiscardingTaskGroup { group in
      for lane in loops.indices { group.addTask { await self.keep(lane: lane) } }
      await openMore(in: &group)
    }
    close()
  }

  /// Takes no more calls and lets those that are open end.
  func close() {
    stop.set()
    crowding.finish()
    let (connections, unserved) = state.withLock { $0.close() }
    for waiter in unserved { waiter.resume(throwing: State.closing) }
    for connection in connections { connection.beginShutdown() }
  }

  // MARK: Calls

  /// A connection for one call, which has to be given back by ``callEnded(on:)``; the call waits for it until `deadline` at the most.
  func connection(waitsForReady: Bool, until deadline: NIODeadline?) async throws -> ClientConnection {
    try await connection(State.Wish(waitsForReady: waitsForReady), until: deadline)
  }

  /// A connection of the same lane in place of one that takes no more calls.
  func connection(
    insteadOf retired: ClientConnection, waitsForReady: Bool, until deadline: NIODeadline?
  ) async throws -> ClientConnection {
    state.withLock { $0.remove(retired.id) }
    return try await connection(State.Wish(waitsForReady: waitsForReady, lane: retired.lane), until: deadline)
  }

  /// Lets another call have the room of one that has ended.
  func callEnded(on connection: ClientConnection) {
    serve(state.withLock { $0.callEnded(on: connection.id) })
  }

  private func serve(_ served: [State.Service]) {
    for service in served { service.waiter.resume(returning: service.connection) }
  }

  private func connection(_ wish: State.Wish, until deadline: NIODeadline?) async throws -> ClientConnection {
    switch state.withLock({ $0.pick(wish) }) {
    case .use(let connection): return connection
    case .fail(let error): throw error
    case .wait: return try await waitForConnection(wish, until: deadline)
    }
  }

  private func waitForConnection(_ wish: State.Wish, until deadline: NIODeadline?) async throws -> ClientConnection {
    let number = callNumbers.wrappingAdd(1, ordering: .relaxed).newValue
    let timer = deadline.map { deadline in
      loops[wish.lane ?? 0].scheduleTask(deadline: deadline) { self.giveUp(number, CallDeadline.fault.error) }
    }
    defer { timer?.cancel() }
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        enqueue(continuation, number: number, wish: wish)
        // Who said so before the call was in the line has not been heard.
        if Task.isCancelled { giveUp(number, Self.cancelled) }
        if let deadline, deadline <= .now() { giveUp(number, CallDeadline.fault.error) }
      }
    } onCancel: {
      giveUp(number, Self.cancelled)
    }
  }

  private func enqueue(_ waiter: Waiter, number: UInt64, wish: State.Wish) {
    switch state.withLock({ $0.pick(wish, number: number, waiter: waiter) }) {
    case .use(let connection): waiter.resume(returning: connection)
    case .fail(let error): waiter.resume(throwing: error)
    case .wait:
      for promise in takeDemand() { promise.succeed() }
      growIfCrowded()
    }
  }

  /// Ends the waiting of a call, if it still waits.
  private func giveUp(_ number: UInt64, _ error: RPCError) {
    state.withLock { $0.cancel(number) }?.resume(throwing: error)
  }

  private static var cancelled: RPCError {
    RPCError(code: .cancelled, message: "the task was cancelled while its call waited for a connection")
  }

  // MARK: One lane

  /// Opens a connection, and the next as soon as it takes no more calls, with growing pauses while that fails.
  private func keep(lane: Int) async {
    let loop = loops[lane]
    await withDiscardingTaskGroup { closing in
      var backoff = Backoff(initial: settings.initialBackoff, maximum: settings.maxBackoff)
      var generator = SystemRandomNumberGenerator()
      while !stop.isSet, !Task.isCancelled {
        do {
          let connection = try await connector.connect(lane: lane, on: loop)
          let opened = ContinuousClock.now
          closing.addTask { await connection.closed() }
          offer(connection, isExtra: false)
          try await untilRetired(connection)
          let retirement = try await connection.retirement()
          if retirement.isIdle { try await waitForDemand(on: loop) }
          // A server that hangs up as soon as it has greeted is as good as one that cannot be reached. One that replaces its
          // connections in order is not, and one that has done work on them need not be waited for.
          let wasUseful = retirement.hasServed || opened.duration(to: .now) > settings.maxBackoff
          if wasUseful || retirement.isOrderly { backoff.reset() }
          if !wasUseful { await pause(backoff.next(using: &generator)) }
        } catch {
          guard !stop.isSet, !Task.isCancelled else { return }
          failWaiters(of: lane, error)
          await pause(backoff.next(using: &generator))
        }
      }
    }
  }

  private func offer(_ connection: ClientConnection, isExtra: Bool) {
    if let served = state.withLock({ $0.add(connection, isExtra: isExtra) }) {
      serve(served)
      // More calls may have waited for the first connection than it takes.
      growIfCrowded()
    } else {
      connection.beginShutdown()
    }
  }

  /// Waits until a connection takes no more calls, and forgets it.
  private func untilRetired(_ connection: ClientConnection) async throws {
    try await connection.retired.get()
    state.withLock { $0.remove(connection.id) }
    // Calls that wait for room have lost some of what they hoped for.
    growIfCrowded()
  }

  private func pause(_ duration: Duration) async {
    let timer = connector.nextEventLoop().scheduleTask(in: TimeAmount(duration)) {}
    // The pause ends early only to stop, which the caller's loop sees.
    _ = try? await stop.wait(for: timer.futureResult)
    timer.cancel()
  }

  private func waitForDemand(on loop: any EventLoop) async throws {
    let promise = loop.makePromise(of: Void.self)
    demand.withLock { $0.append(promise) }
    // A call that began to wait before the promise was there has to be served as well.
    if state.withLock({ $0.hasWaiters }) { promise.succeed() }
    defer { promise.succeed() }
    try await stop.wait(for: promise.futureResult)
  }

  // MARK: Growth

  private func growIfCrowded() {
    if let lane = state.withLock({ $0.grow() }) { crowding.yield(lane) }
  }

  /// Opens one connection after the other for as long as calls wait for room, with growing pauses while that fails. It ends when
  /// no more calls are taken.
  private func openMore(in group: inout DiscardingTaskGroup) async {
    var backoff = Backoff(initial: settings.initialBackoff, maximum: settings.maxBackoff)
    var generator = SystemRandomNumberGenerator()
    for await lane in crowded {
      do {
        let connection = try await connector.connect(lane: lane, on: loops[lane])
        group.addTask { await connection.closed() }
        offer(connection, isExtra: true)
        // It is not replaced when it goes; the channel's end tells this task as well.
        group.addTask { try? await self.untilRetired(connection) }
        backoff.reset()
      } catch {
        // The calls that wait are served by the connections there are.
        await pause(backoff.next(using: &generator))
      }
      if let next = state.withLock({ $0.didGrow() }) { crowding.yield(next) }
    }
  }

  private func takeDemand() -> [EventLoopPromise<Void>] {
    demand.withLock { promises in
      defer { promises.removeAll() }
      return promises
    }
  }

  private func failWaiters(of lane: Int, _ error: any Error) {
    let failure = RPCError(code: .unavailable, message: "no connection to the server: \(error)")
    for waiter in state.withLock({ $0.connectFailed(lane: lane, failure) }) { waiter.resume(throwing: failure) }
  }
}
