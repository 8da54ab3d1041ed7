import Synchronization

/// Weighs work that has begun and not ended, and makes one reader wait while it weighs too much.
package final class WeightedLimit: Sendable {
  private enum Goal {
    case room
    case nothing
  }

  private struct State {
    var count = 0
    var waiter: (goal: Goal, continuation: CheckedContinuation<Void, Never>)?
  }

  private let limit: Int
  private let state = Mutex(State())

  package init(limit: Int) {
    self.limit = limit
  }

  var count: Int { state.withLock { $0.count } }

  package func enter(weight: Int = 1) {
    state.withLock { $0.count += weight }
  }

  package func leave(weight: Int = 1) {
    let waiter = state.withLock { state in
      state.count -= weight
      return takeWaiter(&state)
    }
    waiter?.resume()
  }

  /// Lets everybody pass from now on, whatever begins or ends.
  func clear() {
    let waiter = state.withLock { state in
      state.count = .min / 2
      return takeWaiter(&state)
    }
    waiter?.resume()
  }

  /// Returns when the work weighs less than the limit, or the caller was cancelled.
  func room() async { await wait(for: .room) }

  /// Returns when no work is left, or the caller was cancelled.
  package func emptied() async { await wait(for: .nothing) }

  private func wait(for goal: Goal) async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isReached = state.withLock { state in
          if reaches(goal, state.count) || Task.isCancelled { return true }
          state.waiter = (goal, continuation)
          return false
        }
        if isReached { continuation.resume() }
      }
    } onCancel: {
      let waiter = state.withLock { state in
        defer { state.waiter = nil }
        return state.waiter?.continuation
      }
      waiter?.resume()
    }
  }

  private func takeWaiter(_ state: inout State) -> CheckedContinuation<Void, Never>? {
    guard let waiter = state.waiter, reaches(waiter.goal, state.count) else { return nil }
    state.waiter = nil
    return waiter.continuation
  }

  private func reaches(_ goal: Goal, _ count: Int) -> Bool {
    switch goal {
    case .room: count < limit
    case .nothing: count <= 0
    }
  }
}
