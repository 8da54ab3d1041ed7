import PonosSystem
import ServiceLifecycle

/// Passes a failpoint when its turn to stop has come: after everything that stands behind it in the list of services has stopped.
struct FailpointService: Service {
  let failpoints: Failpoints
  let point: Failpoint

  func run() async throws {
    do { try await gracefulShutdown() } catch { return }
    failpoints.pass(point)
  }
}
