import NIOCore
import Synchronization

/// An operation did not end in time.
struct DeadlineExceeded: Error {}

/// Runs `operation` and cancels it when it takes longer than `limit`; then throws `DeadlineExceeded`.
///
/// PonosSystem has another `withDeadline`; this client knows nothing of Ponos, so that other programs can take it as it is.
func withDeadline<Value: Sendable>(
  _ limit: Duration, _ operation: @escaping @Sendable () async throws -> Value
) async throws -> Value {
  try await withThrowingTaskGroup(of: Value.self) { group in
    group.addTask(operation: operation)
    group.addTask {
      try await Task.sleep(for: limit)
      throw DeadlineExceeded()
    }
    defer { group.cancelAll() }
    // Two children were added, so there is a first one.
    guard let value = try await group.next() else { throw DeadlineExceeded() }
    return value
  }
}

/// When something last happened on a stream.
final class StreamActivity: Sendable {
  private let last = Mutex(ContinuousClock.now)

  /// To be called for each piece received.
  func touch() {
    last.withLock { $0 = .now }
  }

  /// Returns when nothing has happened for `limit`.
  func waitUntilIdle(for limit: Duration) async throws {
    while true {
      let deadline = last.withLock { $0 } + limit
      if deadline <= .now { return }
      try await Task.sleep(until: deadline, clock: .continuous)
    }
  }
}

/// Runs `operation` and cancels it when it reports no activity for `idleLimit` or takes longer than `totalLimit` altogether;
/// then throws `DeadlineExceeded`.
func withIdleDeadline<Value: Sendable>(
  idle idleLimit: Duration, total totalLimit: Duration,
  _ operation: @escaping @Sendable (StreamActivity) async throws -> Value
) async throws -> Value {
  let activity = StreamActivity()
  return try await withDeadline(totalLimit) {
    try await withThrowingTaskGroup(of: Value.self) { group in
      group.addTask { try await operation(activity) }
      group.addTask {
        try await activity.waitUntilIdle(for: idleLimit)
        throw DeadlineExceeded()
      }
      defer { group.cancelAll() }
      guard let value = try await group.next() else { throw DeadlineExceeded() }
      return value
    }
  }
}
