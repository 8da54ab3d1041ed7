/// Runs `work` on Swift's pool of threads, whatever thread the caller runs on.
///
/// Handlers of gRPC calls begin on the event loop of their connection. A handler that computes, or waits for one that does, calls this to
/// leave the loop; that costs one switch of threads there and one back.
package func offEventLoop<Value: Sendable, Failure: Error>(
  _ work: () async throws(Failure) -> Value
) async throws(Failure) -> Value {
  try await withTaskExecutorPreference(globalConcurrentExecutor, operation: work)
}
