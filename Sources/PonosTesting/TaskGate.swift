import PonosSystem
import Synchronization

/// Holds everybody who comes until it is opened; open for good after that.
package final class TaskGate: Sendable {
  private struct State {
    var isOpen = false
    var waiters = Waiters<Void>()
    var arrivals = 0
  }

  private let state = Mutex(State())

  package init() {}

  /// How many have come to the gate so far, those let through included.
  package var arrivals: Int { state.withLock { $0.arrivals } }

  /// Returns when the gate is open, or the caller is cancelled.
  package func pass() async {
    state.withLock { $0.arrivals += 1 }
    await state.wait(in: \.waiters, cancelled: (), unless: { $0.isOpen ? () : nil })
  }

  package func open() {
    let waiters = state.withLock { state in
      state.isOpen = true
      return state.waiters.takeAll()
    }
    waiters.resume()
  }
}
