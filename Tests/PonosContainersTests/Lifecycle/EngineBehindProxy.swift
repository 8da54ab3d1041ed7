import PonosDocker
import PonosTesting

/// The real engine behind a socket that a test can make dead or deaf.
enum EngineBehindProxy {
  static func run(
    callLimit: Duration = .seconds(15), _ body: (EngineProxy, DockerClient) async throws -> Void
  ) async throws {
    guard case .unixSocket(let path) = try PerformerHarness.engine().endpoint else { return }
    let proxy = EngineProxy(upstream: path)
    try await proxy.start()
    let outcome: Result<Void, any Error>
    do {
      outcome = .success(try await body(proxy, DockerClient(endpoint: .unixSocket(proxy.path), callLimit: callLimit)))
    } catch { outcome = .failure(error) }
    try await proxy.stop()
    try outcome.get()
  }
}
