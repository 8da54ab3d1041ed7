import Synchronization

/// Counts the tasks in work, refuses those beyond a limit, and knows whether the server drains.
final class TaskSlots: Sendable {
  private struct State {
    var busy = 0
    var isDraining = false
  }

  private let limit: Int
  private let state = Mutex(State())

  /// `limit` nil for no limit.
  init(limit: Int?) {
    self.limit = limit ?? .max
  }

  /// Takes a slot; false when all are taken.
  func take() -> Bool {
    state.withLock { state in
      guard state.busy < limit else { return false }
      state.busy += 1
      return true
    }
  }

  /// Gives back a slot that ``take()`` gave.
  func giveBack() {
    state.withLock { $0.busy -= 1 }
  }

  /// From now on the end of a connection is no reason to drop the work on it.
  func drain() {
    state.withLock { $0.isDraining = true }
  }

  /// Tasks in work.
  var busy: Int { state.withLock { $0.busy } }

  var isDraining: Bool { state.withLock { $0.isDraining } }
}
