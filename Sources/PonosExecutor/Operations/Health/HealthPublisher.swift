import PonosSystem
import ServiceLifecycle
import Synchronization

/// Looks at the daemon's health for everybody who watches it, and tells them when it has changed.
///
/// However many watch, there is one look an interval; whoever only asks once gets what that look found.
package final class HealthPublisher: Service {
  private struct State: Sendable {
    var isServing = false
    var watchers = Waiters<Void>()
    var watching = 0
  }

  /// Watches at a time, over all connections.
  package static let maxWatches = 1024

  private let isServing: @Sendable () -> Bool
  private let interval: Duration
  private let state = Mutex(State())

  /// - Parameter isServing: Whether the daemon takes tasks of any AVS now; must not block.
  package init(interval: Duration = .milliseconds(250), isServing: @escaping @Sendable () -> Bool) {
    self.isServing = isServing
    self.interval = interval
  }

  /// Looks every interval until shutdown, and says then that nothing is served.
  package func run() async throws {
    await cancelWhenGracefulShutdown {
      while !Task.isCancelled {
        self.publish(self.isServing())
        do { try await Task.sleep(for: self.interval) } catch { break }
      }
    }
    publish(false)
  }

  /// What the last look found.
  package var current: Bool { state.withLock(\.isServing) }

  private func publish(_ isServing: Bool) {
    let woken = state.withLock { state -> Waiters<Void>.Taken? in
      guard state.isServing != isServing else { return nil }
      state.isServing = isServing
      return state.watchers.takeAll()
    }
    woken?.resume(returning: ())
  }

  // MARK: Watching

  /// Takes one of the places for watches; false when all are taken.
  func beginWatch() -> Bool {
    state.withLock { state in
      guard state.watching < Self.maxWatches else { return false }
      state.watching += 1
      return true
    }
  }

  func endWatch() {
    state.withLock { $0.watching -= 1 }
  }

  /// Returns once what is published differs from `seen`, or the caller is cancelled.
  func changed(from seen: Bool) async {
    await state.wait(in: \.watchers, cancelled: ()) { state in state.isServing == seen ? nil : () }
  }
}
