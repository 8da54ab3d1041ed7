import PonosContainersTesting
import PonosCore
import PonosDocker
import PonosTesting
import Testing
@testable import PonosContainers
@testable import PonosStore

@Suite("Recovering performers")
struct RecoveryTests {
  let avs = EthereumAddress.random

  @Test("adopts the running container of an earlier daemon instead of replacing it")
  func adoptsRunningContainerOfEarlierDaemonInstead() async throws {
    try await PerformerHarness.withInstallation { store in
      let first = Collected<Deployment>()
      try await PerformerHarness.run(store: store) { harness in
        first.append(try await harness.service.deploy(.stub(avs), origin: .deployment))
      }
      let deployment = first.values[0]
      try await PerformerHarness.run(store: store) { harness in
        try await eventually { harness.roster.isServing(avs) }
        let snapshot = try #require(harness.onlyPerformer)
        #expect(snapshot.performerID == deployment.performerID && snapshot.containerID == deployment.containerID)
        #expect(snapshot.generation == 1 && snapshot.status == "InService")
        #expect(try await harness.containers().map(\.id) == [deployment.containerID])
        // The adopted performer is supervised like any other.
        try await harness.docker.killContainer(deployment.containerID)
        try await eventually { harness.onlyPerformer?.generation == 2 && harness.roster.isServing(avs) }
      }
    }
  }

  @Test("creates a container again that is gone, and one that has ended")
  func createsContainerAgainThatIsGone() async throws {
    let other = EthereumAddress.random
    try await PerformerHarness.withInstallation { store in
      let containers = Collected<String>()
      try await PerformerHarness.run(store: store) { harness in
        for avs in [avs, other] {
          containers.append(try await harness.service.deploy(.stub(avs), origin: .deployment).containerID)
        }
      }
      let docker = try PerformerHarness.engine()
      try await docker.removeContainer(containers.values[0], force: true)
      try await docker.killContainer(containers.values[1])
      try await PerformerHarness.run(store: store) { harness in
        try await eventually { harness.roster.isServing(avs) && harness.roster.isServing(other) }
        #expect(Set(try await harness.containers().map(\.id)).isDisjoint(with: containers.values))
        #expect(harness.service.snapshots().map(\.generation) == [2, 2])
      }
    }
  }

  @Test("rolls back a deployment that an earlier daemon did not finish; leaves foreign containers alone")
  func rollsBackDeploymentThatEarlierDaemonDidNotFinish() async throws {
    let docker = try PerformerHarness.engine()
    let foreign = try await foreignContainer(docker)
    try await PerformerHarness.withInstallation { store in
      try await interruptedDeployment(store)
      #expect(try await store.performers().map(\.role) == [.staged])
      try await PerformerHarness.run(store: store) { harness in
        try await eventually { try await harness.isEmpty() }
        try await eventually { harness.service.notReady().isEmpty }
        #expect(harness.service.snapshots().isEmpty)
      }
    }
    #expect(try await docker.container(foreign).state.isRunning)
    try await docker.removeContainer(foreign, force: true)
  }

  /// A service that ends while a container is up that does not serve yet.
  private func interruptedDeployment(_ store: any ExecutorStore) async throws {
    let performers = FakePerformers(health: .notServing("yet"))
    let outcome = Collected<DeploymentError.Code>()
    try await withThrowingTaskGroup(of: Void.self) { group in
      let services = Collected<PerformerHarness>()
      group.addTask {
        try await PerformerHarness.run(store: store, performers: performers) { harness in
          services.append(harness)
          try await eventually { try await harness.containers().first?.state == "running" }
        }
      }
      try await eventually { !services.values.isEmpty }
      do throws(DeploymentError) { _ = try await services.values[0].service.deploy(.stub(avs), origin: .deployment) } catch {
        outcome.append(error.code)
      }
      try await group.waitForAll()
    }
    #expect(outcome.values == [.shuttingDown])
    #expect(performers.openConnections == 0)
  }

  private func foreignContainer(_ docker: DockerClient) async throws -> String {
    _ = try await StubImage.ensure(on: docker)
    var creation = ContainerCreation(image: StubImage.reference)
    creation.labels = [ContainerLabels.installation: "another", ContainerLabels.performer: "theirs"]
    let id = try await docker.createContainer(creation, name: "ponos-test-foreign-\(UInt32.random(in: 0 ... .max))")
    try await docker.startContainer(id)
    return id
  }

  @Test("deploys what is configured; a performer that fails holds up neither the others nor readiness reports")
  func deploysWhatIsConfigured() async throws {
    let other = EthereumAddress.random
    try await PerformerHarness.withInstallation { store in
      try await PerformerHarness.run(store: store, configured: [.stub(avs, mode: "exit"), .stub(other)]) { harness in
        try await eventually { harness.roster.isServing(other) }
        try await eventually { harness.service.snapshots().first { $0.avs == avs }?.state == .failed }
        let failed = try #require(harness.service.snapshots().first { $0.avs == avs })
        #expect(failed.logTail.contains("stub: no answer to be found"))
        #expect(!failed.containerHealthy)
        #expect(harness.service.notReady().count == 1)
        #expect(!harness.roster.isServing(avs))
        // A caller deploys one that works.
        try await eventually {
          do throws(DeploymentError) { _ = try await harness.service.deploy(.stub(avs), origin: .deployment) } catch {
            #expect(error.code == .alreadyInProgress)
            return false
          }
          return true
        }
        try await eventually { harness.service.snapshots().count == 2 && harness.service.notReady().isEmpty }
      }
    }
  }

  @Test("forgets a configured performer that failed and is not wanted any more")
  func forgetsConfiguredPerformerThatFailed() async throws {
    var settings = PerformerHarness.settings
    settings.restarts.firstDelay = .seconds(4)
    settings.restarts.longestDelay = .seconds(4)
    try await PerformerHarness.withInstallation { store in
      try await PerformerHarness.run(store: store, configured: [.stub(avs, mode: "exit")], settings: settings) { harness in
        try await eventually { harness.onlyPerformer?.state == .failed }
        // Before the next attempt a caller deploys another one, and removes it again.
        let deployment = try await harness.service.deploy(.stub(avs), origin: .deployment)
        try await harness.service.remove(performerID: deployment.performerID)
        try await eventually { harness.service.snapshots().isEmpty }
        #expect(harness.service.notReady().isEmpty)
      }
    }
  }

  @Test("takes over limits and concurrency that the configuration changed for a performer from DeployArtifact")
  func takesOverLimitsAndConcurrencyThatConfiguration() async throws {
    try await PerformerHarness.withInstallation { store in
      let first = Collected<Deployment>()
      try await PerformerHarness.run(store: store) { harness in
        first.append(try await harness.service.deploy(.stub(avs), origin: .deployment))
      }
      var allotment = PerformerAllotment(concurrency: 3, limits: PerformerSpec.stub(avs).limits)
      try await PerformerHarness.run(store: store, allotments: [avs: allotment]) { harness in
        try await eventually { harness.roster.isServing(avs) }
        #expect(harness.roster.snapshot().map(\.capacity) == [3])
        #expect(harness.onlyPerformer?.containerID == first.values[0].containerID)
      }
      allotment.limits.pids = 77
      try await PerformerHarness.run(store: store, allotments: [avs: allotment]) { harness in
        try await eventually {
          let snapshots = harness.service.snapshots()
          return snapshots.count == 1 && snapshots[0].status == "InService"
            && snapshots[0].performerID != first.values[0].performerID
        }
        let container = try await harness.docker.container(try #require(harness.onlyPerformer?.containerID))
        #expect(container.hostConfig.pidsLimit == 77)
        #expect(try await harness.containers().count == 1)
        let record = try #require(try await store.performers().first)
        #expect(record.origin == .deployment && record.spec.environment == PerformerSpec.stub(avs).environment)
      }
    }
  }

  @Test("removes what a daemon without a memory left, containers and networks")
  func removesWhatDaemonWithoutMemoryLeft() async throws {
    let installation = "memory-\(avs)"
    try await PerformerHarness.withInstallation(MemoryStore(installationID: installation, claim: nil)) { store in
      try await PerformerHarness.run(store: store) { harness in
        _ = try await harness.service.deploy(.stub(avs), origin: .deployment)
      }
      try await PerformerHarness.run(store: MemoryStore(installationID: installation, claim: nil)) { harness in
        try await eventually { try await harness.isEmpty() }
        try await eventually { try await harness.networks().isEmpty }
      }
    }
  }

  @Test("removes the network of an AVS whose first deployment failed, and no other")
  func removesNetworkOfAVSWhoseFirstDeploymentFailed() async throws {
    var settings = PerformerHarness.settings
    settings.comparisonInterval = .milliseconds(200)
    try await PerformerHarness.withInstallation { store in
      try await PerformerHarness.run(store: store, settings: settings) { harness in
        _ = try await harness.service.deploy(.stub(avs), origin: .deployment)
        let own = try await harness.networks().map(\.id)
        let error = await harness.refusal(.stub(.random, mode: "exit"))
        #expect(error?.code == .performerExited)
        try await eventually { try await harness.networks().map(\.id) == own }
      }
    }
  }

  @Test("replaces a configured performer whose specification changed, without a gap")
  func replacesConfiguredPerformerWhoseSpecification() async throws {
    try await PerformerHarness.withInstallation { store in
      let first = Collected<String>()
      try await PerformerHarness.run(store: store, configured: [.stub(avs)]) { harness in
        try await eventually { harness.roster.isServing(avs) }
        first.append(try #require(harness.onlyPerformer?.containerID))
      }
      try await PerformerHarness.run(store: store, configured: [.stub(avs)]) { harness in
        try await eventually { harness.roster.isServing(avs) }
        #expect(harness.onlyPerformer?.containerID == first.values[0])
      }
      let changed = PerformerSpec.stub(avs, environment: [EnvironmentVariable(name: "A", source: .literal("1"))])
      try await PerformerHarness.run(store: store, configured: [changed]) { harness in
        try await eventually {
          let snapshots = harness.service.snapshots()
          return snapshots.count == 1 && snapshots[0].containerID != first.values[0] && snapshots[0].status == "InService"
        }
        #expect(try await harness.containers().count == 1)
        #expect(try await store.performers().first?.spec == changed)
      }
      try await PerformerHarness.run(store: store) { harness in
        try await eventually { try await harness.isEmpty() }
      }
    }
  }

  @Test("waits for an engine that is down, and says so at once to those who ask")
  func waitsForEngineThatIsDown() async throws {
    let docker = DockerClient(endpoint: .unixSocket("/tmp/ponos-no-such-engine.sock"))
    try await PerformerHarness.run(store: MemoryStore(), configured: [.stub(avs)], docker: docker) { harness in
      try await eventually { harness.service.notReady().first?.contains("cannot be reached") == true }
      let error = await harness.refusal(.stub(avs))
      #expect(error?.code == .dockerUnavailable)
      let removal = await harness.refusal(toRemove: "x")
      #expect(removal?.code == .dockerUnavailable)
    }
  }

  @Test("turns everyone away once the service has ended")
  func turnsEveryoneAwayOnceServiceHasEnded() async throws {
    try await PerformerHarness.withInstallation { store in
      let services = Collected<PerformerService>()
      try await PerformerHarness.run(store: store) { harness in services.append(harness.service) }
      let error = await #expect(throws: DeploymentError.self) {
        try await services.values[0].deploy(.stub(avs), origin: .deployment)
      }
      #expect(error?.code == .shuttingDown)
    }
  }
}
