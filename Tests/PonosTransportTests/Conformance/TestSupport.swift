import Foundation
import GRPCCore
import Synchronization
import Testing

#if PONOS_SANITIZE_THREAD
  import PonosTransport
#endif

/// A number that only grows, from any thread.
final class Counter: Sendable {
  private let count = Mutex(0)
  var value: Int { count.withLock { $0 } }
  func increment() { count.withLock { $0 += 1 } }
}

/// Times, from any thread.
final class Recorder: Sendable {
  private let times = Mutex<[Duration]>([])
  func add(_ time: Duration) { times.withLock { $0.append(time) } }

  func take() -> [Duration] {
    times.withLock { times in
      defer { times.removeAll() }
      return times
    }
  }
}

/// Something to wait for that happens once.
final class Gate: Sendable {
  private struct State {
    var isOpen = false
    var waiters: [CheckedContinuation<Void, Never>] = []
  }
  private let state = Mutex(State())

  var waiting: Int { state.withLock { $0.waiters.count } }

  func open() {
    let waiters = state.withLock { state in
      state.isOpen = true
      defer { state.waiters.removeAll() }
      return state.waiters
    }
    for waiter in waiters { waiter.resume() }
  }

  func wait() async {
    await withCheckedContinuation { continuation in
      let isOpen = state.withLock { state in
        if !state.isOpen { state.waiters.append(continuation) }
        return state.isOpen
      }
      if isOpen { continuation.resume() }
    }
  }
}

/// Polls until `condition` holds; records an issue when it does not within `limit`.
func eventually(
  within limit: Duration = .seconds(20), _ what: Comment? = nil, sourceLocation: SourceLocation = #_sourceLocation,
  _ condition: () async throws -> Bool
) async rethrows {
  let deadline = ContinuousClock.now + limit
  while ContinuousClock.now < deadline {
    if try await condition() { return }
    try? await Task.sleep(for: .milliseconds(5))
  }
  Issue.record(what ?? "the condition never held", sourceLocation: sourceLocation)
}

/// Runs `operation` and fails the test when it takes longer than `limit`.
func inTime<Result: Sendable>(
  _ limit: Duration = .seconds(30), _ operation: @escaping @Sendable () async throws -> Result
) async throws -> Result {
  try await withThrowingTaskGroup(of: Result.self) { group in
    group.addTask(operation: operation)
    group.addTask {
      try await Task.sleep(for: limit)
      throw TimeLimitExceeded(limit: limit)
    }
    defer { group.cancelAll() }
    guard let result = try await group.next() else { throw TimeLimitExceeded(limit: limit) }
    return result
  }
}

struct TimeLimitExceeded: Error {
  let limit: Duration
}

/// How often tests of races are run: `TRANSPORT_REPETITIONS`, or a few times.
enum Repetitions {
  static var count: Int { ProcessInfo.processInfo.environment["TRANSPORT_REPETITIONS"].flatMap { Int($0) } ?? 5 }
}
