import Synchronization

/// What a performer says when its executor asks after its health.
///
/// An executor sends tasks only to a performer that says ``Status/serving``, and replaces one that stops saying so for too
/// long. Start with ``Status/notServing`` if you have something to load first, and set ``Status/serving`` when it is there.
public final class PerformerHealth: Sendable {
  public enum Status: Sendable, Hashable {
    /// Ready for tasks.
    case serving
    /// Alive, but not ready.
    case notServing
  }

  private struct State {
    var status: Status
    var ended = false
    var nextWatcher = 0
    var watchers: [Int: AsyncStream<Status>.Continuation] = [:]
  }

  private let state: Mutex<State>

  public init(_ status: Status = .serving) {
    state = Mutex(State(status: status))
  }

  /// What is said now.
  public var status: Status {
    state.withLock { $0.status }
  }

  /// Says `status` from now on, to those who ask and to those who watch. Once the server drains it stays
  /// ``Status/notServing``.
  public func set(_ status: Status) {
    let watchers = state.withLock { state -> [AsyncStream<Status>.Continuation] in
      guard !state.ended, state.status != status else { return [] }
      state.status = status
      return Array(state.watchers.values)
    }
    for watcher in watchers { watcher.yield(status) }
  }

  /// The status now and after each change; a slow reader sees the latest only. Ends when the server drains.
  func updates() -> AsyncStream<Status> {
    let (stream, continuation) = AsyncStream.makeStream(of: Status.self, bufferingPolicy: .bufferingNewest(1))
    let watcher = state.withLock { state -> Int? in
      continuation.yield(state.status)
      guard !state.ended else { return nil }
      state.nextWatcher += 1
      state.watchers[state.nextWatcher] = continuation
      return state.nextWatcher
    }
    if let watcher {
      continuation.onTermination = { [weak self] _ in self?.remove(watcher) }
    } else {
      continuation.finish()
    }
    return stream
  }

  /// Not serving from now on, for good; watchers hear it and are let go.
  func end() {
    let watchers = state.withLock { state -> [AsyncStream<Status>.Continuation] in
      state.status = .notServing
      state.ended = true
      defer { state.watchers = [:] }
      return Array(state.watchers.values)
    }
    for watcher in watchers {
      watcher.yield(.notServing)
      watcher.finish()
    }
  }

  private func remove(_ watcher: Int) {
    _ = state.withLock { $0.watchers.removeValue(forKey: watcher) }
  }
}
