import PonosSystem
import Synchronization

/// Weighs work that has begun and not ended, and makes its reader wait while it weighs too much.
package final class WeightedLimit: Sendable {
  private struct State: Sendable {
    var weight = 0
    var untilRoom = Waiters<Void>()
    var untilEmpty = Waiters<Void>()
  }

  private let limit: Int
  private let state = Mutex(State())

  package init(limit: Int) {
    self.limit = limit
  }

  /// What the work weighs; below zero after `clear`.
  var weight: Int { state.withLock { $0.weight } }

  /// Callers that wait, for room or for the end of all work.
  var waitingCount: Int { state.withLock { $0.untilRoom.count + $0.untilEmpty.count } }

  /// Work begins.
  package func enter(weight: Int = 1) {
    state.withLock { $0.weight += weight }
  }

  /// Work has ended.
  package func leave(weight: Int = 1) {
    lighten { $0 -= weight }
  }

  /// Lets everybody pass from now on, whatever begins or ends.
  func clear() {
    lighten { $0 = .min / 2 }
  }

  /// Returns when the work weighs less than the limit, or the caller was cancelled.
  func room() async {
    if weight < limit { return }
    await state.wait(in: \.untilRoom, cancelled: ()) { $0.weight < limit ? () : nil }
  }

  /// Returns when no work is left, or the caller was cancelled.
  package func emptied() async {
    await state.wait(in: \.untilEmpty, cancelled: ()) { $0.weight <= 0 ? () : nil }
  }

  private func lighten(_ step: (inout Int) -> Void) {
    let (untilRoom, untilEmpty) = state.withLock { state in
      step(&state.weight)
      return (
        state.weight < limit ? state.untilRoom.takeAll() : nil, state.weight <= 0 ? state.untilEmpty.takeAll() : nil
      )
    }
    untilRoom?.resume(returning: ())
    untilEmpty?.resume(returning: ())
  }
}
