/// Runs `work` on Swift's pool of threads, whoever runs the caller.
///
/// Handlers of gRPC calls begin on the event loop of their connection. Those that compute, or wait for others that do, leave it with this;
/// going and coming back is one switch of threads each, for the whole handler.
package func offEventLoop<Value: Sendable, Failure: Error>(
  _ work: () async throws(Failure) -> Value
) async throws(Failure) -> Value {
  try await withTaskExecutorPreference(globalConcurrentExecutor, operation: work)
}
