import GRPCCore
import NIOCore
import Synchronization

/// Tells everything a client waits for that it is to stop.
final class StopSignal: Sendable {
  private struct State {
    var isSet = false
    var nextNumber = 0
    var listeners: [Int: @Sendable () -> Void] = [:]
  }

  private let state = Mutex(State())

  var isSet: Bool { state.withLock { $0.isSet } }

  func set() {
    let listeners = state.withLock { state in
      state.isSet = true
      defer { state.listeners.removeAll() }
      return Array(state.listeners.values)
    }
    for listener in listeners { listener() }
  }

  /// The value of `future`, or a cancellation error as soon as the signal is set or the task cancelled.
  func wait<Value: Sendable>(for future: EventLoopFuture<Value>) async throws -> Value {
    let promise = future.eventLoop.makePromise(of: Value.self)
    future.cascade(to: promise)
    let stop: @Sendable () -> Void = { promise.fail(CancellationError()) }
    let number: Int? = state.withLock { state in
      guard !state.isSet else { return nil }
      state.nextNumber += 1
      state.listeners[state.nextNumber] = stop
      return state.nextNumber
    }
    if number == nil { stop() }
    defer { if let number { state.withLock { $0.listeners[number] = nil } } }
    return try await withTaskCancellationHandler {
      try await promise.futureResult.get()
    } onCancel: {
      stop()
    }
  }
}
