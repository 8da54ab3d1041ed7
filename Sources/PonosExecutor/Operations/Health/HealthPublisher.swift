import PonosSystem
import ServiceLifecycle
import Synchronization

/// Looks at the daemon's health for everybody who watches it, and tells them when it has changed.
///
/// However many watch or ask, there is one look an interval, and one more for a question that comes later than `freshness` after it.
package final class HealthPublisher: Service {
  private struct State: Sendable {
    var isServing = false
    /// nil before the first look.
    var lastLook: ContinuousClock.Instant?
    var isEnded = false
    var watchers = Waiters<Void>()
    var watching = 0
  }

  /// How old an answer may be.
  private static let freshness = Duration.milliseconds(20)
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
        self.look()
        do { try await Task.sleep(for: self.interval) } catch { break }
      }
    }
    state.withLock { $0.isEnded = true }
    publish(false)
  }

  /// Whether tasks are taken now.
  package var current: Bool {
    let isFresh = state.withLock { state in
      state.isEnded || state.lastLook.map { ContinuousClock.now - $0 < Self.freshness } ?? false
    }
    if !isFresh { look() }
    return state.withLock(\.isServing)
  }

  private func look() {
    let isServing = isServing()
    let isOver = state.withLock { state in
      state.lastLook = .now
      return state.isEnded
    }
    if !isOver { publish(isServing) }
  }

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
