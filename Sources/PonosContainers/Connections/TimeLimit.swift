/// Runs `operation`, and cancels it when it takes longer than `limit` on the monotonic clock; returns nil then.
func withinLimit<Value: Sendable>(
  _ limit: Duration, _ operation: @escaping @Sendable () async throws -> Value
) async throws -> Value? {
  try await withThrowingTaskGroup(of: Value?.self) { group in
    group.addTask { try await operation() }
    group.addTask {
      try await Task.sleep(for: limit, clock: .continuous)
      return nil
    }
    defer { group.cancelAll() }
    // Two children were added, so there is a first one.
    return try await group.next() ?? nil
  }
}
