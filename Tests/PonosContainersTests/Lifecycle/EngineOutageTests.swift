import PonosContainers
import PonosContainersTesting
import PonosCore
import PonosDocker
import PonosStore
import PonosTesting
import Testing

@Suite("An engine that goes away while performers serve")
struct EngineOutageTests {
  let avs = EthereumAddress.random

  @Test("and dies takes no performer out of service; one that ended meanwhile is replaced when it is back")
  func diesTakesNoPerformerOutOfService() async throws {
    let ended = EthereumAddress.random
    try await EngineBehindProxy.run { proxy, docker in
      try await PerformerHarness.withInstallation { store in
        try await PerformerHarness.run(store: store, docker: docker) { harness in
          let kept = try await harness.service.deploy(.stub(avs), origin: .deployment)
          let lost = try await harness.service.deploy(.stub(ended), origin: .deployment)
          try await proxy.stop()
          try await PerformerHarness.engine().killContainer(lost.containerID)
          try await eventually { !harness.roster.isServing(ended) }
          try await eventually { harness.snapshot(lost.performerID)?.lastError?.contains("cannot be reached") == true }
          #expect(harness.roster.isServing(avs))
          let refusal = await harness.refusal(.stub(.random))
          #expect(refusal?.code == .dockerUnavailable)
          try await proxy.start()
          try await eventually { harness.roster.isServing(ended) }
          let replaced = try #require(harness.snapshot(lost.performerID))
          #expect(replaced.generation == 2 && replaced.restarts == 1, "the outage is not the performer's failure")
          #expect(harness.events.values.filter { $0 == .restarted(avs: ended) }.count == 1)
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
  func hangsLeavesPerformerInServiceAndAnswers() async throws {
    try await EngineBehindProxy.run(callLimit: .seconds(1)) { proxy, docker in
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

  @Test("and does not answer while a container is adopted is waited for: the container stays")
  func doesNotAnswerWhileContainerIsAdoptedIsWaitedFor() async throws {
    try await PerformerHarness.withInstallation { store in
      let deployed = Collected<Deployment>()
      try await PerformerHarness.run(store: store) { harness in
        deployed.append(try await harness.service.deploy(.stub(avs), origin: .deployment))
      }
      let containerID = deployed.values[0].containerID
      let record = try #require(try await store.performers().first)
      try await EngineBehindProxy.run { proxy, docker in
        let rig = try await SupervisorRig(record, adopting: containerID, store: store, docker: docker)
        try await proxy.stop()
        try await rig.run {
          try await eventually { rig.snapshot?.lastError?.contains("cannot be reached") == true }
          #expect(rig.snapshot?.state == .starting)
          try await proxy.start()
          try await eventually { rig.roster.isServing(avs) }
          #expect(rig.snapshot?.containerID == containerID && rig.snapshot?.generation == 1 && rig.snapshot?.restarts == 0)
        }
        #expect(rig.events.values.isEmpty)
      }
      #expect(try await PerformerHarness.engine().container(containerID).state.isRunning)
      #expect(try await store.performers() == [record])
    }
  }

  @Test("and is away while a configured performer comes up leaves nothing of it behind that is not removed later")
  func isAwayWhileConfiguredPerformerComesUpLeaves() async throws {
    var settings = PerformerHarness.settings
    settings.probes.startupLimit = .seconds(3)
    try await EngineBehindProxy.run { proxy, docker in
      try await PerformerHarness.withInstallation { store in
        let performers = FakePerformers(health: .notServing("yet"))
        try await PerformerHarness.run(
          store: store, performers: performers, configured: [.stub(avs)], settings: settings, docker: docker
        ) { harness in
          try await eventually { harness.onlyPerformer?.containerHealthy == true }
          let first = try #require(harness.onlyPerformer?.containerID)
          try await proxy.stop()
          try await eventually { harness.onlyPerformer?.state == .failed }
          #expect(try await PerformerHarness.engine().container(first).state.isRunning, "it could not be removed")
          performers.say(.serving)
          try await proxy.start()
          try await eventually { harness.roster.isServing(avs) }
          #expect(try await harness.containers().map(\.id) == [try #require(harness.onlyPerformer?.containerID)])
        }
      }
    }
  }
}
