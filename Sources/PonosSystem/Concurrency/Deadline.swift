/// Runs `operation` and cancels it when it takes longer than `limit` on the monotonic clock; returns nil then, as soon as it has ended.
///
/// A caller that is cancelled gets what `operation` makes of that.
@discardableResult
package func withDeadline<Value: Sendable, Failure: Error>(
  _ limit: Duration, _ operation: @escaping @Sendable () async throws(Failure) -> Value
) async throws(Failure) -> Value? {
  let result = await withTaskGroup(of: Result<Value, Failure>?.self) { group in
    group.addTask {
      do throws(Failure) { return .success(try await operation()) } catch { return .failure(error) }
    }
    group.addTask {
      // Cancelled: the operation has ended, or is about to, being cancelled with us.
      try? await Task.sleep(for: limit, clock: .continuous)
      return nil
    }
    defer { group.cancelAll() }
    if let result = await group.next() ?? nil { return Result<Value, Failure>?.some(result) }
    // The time is over, or the caller was cancelled: then the operation has the word.
    return Task.isCancelled ? await group.next() ?? nil : nil
  }
  return try result?.get()
}
