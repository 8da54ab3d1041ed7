import Synchronization

/// Holds everybody who comes until it is opened; open for good after that.
package final class TaskGate: Sendable {
  private struct State {
    var isOpen = false
    var waiting: [UInt64: CheckedContinuation<Void, Never>] = [:]
    var next: UInt64 = 0
    var arrivals = 0
  }

  private let state = Mutex(State())

  package init() {}

  /// How many have come to the gate so far, those let through included.
  package var arrivals: Int { state.withLock { $0.arrivals } }

  /// Returns when the gate is open, or the caller is cancelled.
  package func pass() async {
    let number = state.withLock { state in
      state.arrivals += 1
      state.next += 1
      return state.next
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let mayPass = state.withLock { state in
          if state.isOpen || Task.isCancelled { return true }
          state.waiting[number] = continuation
          return false
        }
        if mayPass { continuation.resume() }
      }
    } onCancel: {
      state.withLock { $0.waiting.removeValue(forKey: number) }?.resume()
    }
  }

  package func open() {
    let waiting = state.withLock { state in
      state.isOpen = true
      defer { state.waiting = [:] }
      return Array(state.waiting.values)
    }
    for continuation in waiting { continuation.resume() }
  }
}
