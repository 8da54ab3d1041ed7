import Synchronization

/// A condition did not come true in time.
package struct ConditionNotMet: Error, CustomStringConvertible {
  package let limit: Duration
  package var description: String { "the condition did not come true within \(limit)" }
}

/// Returns as soon as `condition` holds; throws `ConditionNotMet` when it does not within `limit`.
package func eventually(
  within limit: Duration = .seconds(30), _ condition: @Sendable () async throws -> Bool
) async throws {
  let deadline = ContinuousClock.now + limit
  while try await !condition() {
    guard ContinuousClock.now < deadline else { throw ConditionNotMet(limit: limit) }
    try await Task.sleep(for: .milliseconds(10))
  }
}

/// Values gathered from concurrent callers.
package final class Collected<Value: Sendable>: Sendable {
  private let storage = Mutex<[Value]>([])

  package init() {}

  package var values: [Value] { storage.withLock { $0 } }

  package func append(_ value: Value) {
    storage.withLock { $0.append(value) }
  }
}
