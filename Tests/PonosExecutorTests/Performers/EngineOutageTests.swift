import PonosCore
import PonosDocker
import PonosExecutor
import PonosTesting
import Testing

@Suite("An engine that goes away while performers serve")
struct EngineOutageTests {
  let avs = EthereumAddress.random

  @Test("and dies takes no performer out of service; one that ended meanwhile is replaced when it is back")
  func death() async throws {
    let ended = EthereumAddress.random
    try await withProxy { proxy, docker in
      try await PerformerHarness.withInstallation { store in
        try await PerformerHarness.run(store: store, docker: docker) { harness in
          let kept = try await harness.service.deploy(.stub(avs), origin: .deployment)
          let lost = try await harness.service.deploy(.stub(ended), origin: .deployment)
          try await proxy.stop()
          try await PerformerHarness.engine().killContainer(lost.containerID)
          try await eventually { !harness.roster.isServing(ended) }
          try await eventually { (harness.snapshot(lost.performerID)?.restarts ?? 0) >= 2 }
          #expect(harness.roster.isServing(avs))
          let refusal = await harness.refusal(.stub(.random))
          #expect(refusal?.code == .dockerUnavailable)
          try await proxy.start()
          try await eventually { harness.roster.isServing(ended) }
          #expect(harness.snapshot(kept.performerID)?.containerID == kept.containerID)
          #expect(harness.snapshot(kept.performerID)?.restarts == 0)
          // Events arrive again.
          try await harness.docker.killContainer(kept.containerID)
          try await eventually { harness.snapshot(kept.performerID)?.generation == 2 && harness.roster.isServing(avs) }
        }
      }
    }
  }

  @Test("and hangs leaves the performer in service and answers a deployment with an error in time")
  func hang() async throws {
    try await withProxy(callLimit: .seconds(1)) { proxy, docker in
      try await PerformerHarness.withInstallation { store in
        try await PerformerHarness.run(store: store, docker: docker) { harness in
          let deployment = try await harness.service.deploy(.stub(avs), origin: .deployment)
          proxy.freeze(true)
          let refusal = await harness.refusal(.stub(avs))
          #expect(refusal?.code == .dockerUnavailable)
          #expect(harness.roster.isServing(avs))
          let probed = harness.snapshot(deployment.performerID)?.lastHealthCheck
          try await eventually { harness.snapshot(deployment.performerID)?.lastHealthCheck != probed }
          proxy.freeze(false)
          #expect(harness.snapshot(deployment.performerID)?.containerID == deployment.containerID)
        }
      }
    }
  }

  private func withProxy(
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
