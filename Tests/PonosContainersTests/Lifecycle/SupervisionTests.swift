import PonosContainersTesting
import PonosCore
import PonosDocker
import PonosStore
import PonosTesting
import Testing
@testable import PonosContainers

@Suite("Supervising performers")
struct SupervisionTests {
  let avs = EthereumAddress.random

  @Test("creates a new container when one is killed: same performer, next generation")
  func createsNewContainerWhenOneIsKilled() async throws {
    try await PerformerHarness.withInstallation { store in
      try await PerformerHarness.run(store: store) { harness in
        let deployment = try await harness.service.deploy(.stub(avs), origin: .deployment)
        let neighbour = EthereumAddress.random
        _ = try await harness.service.deploy(.stub(neighbour), origin: .deployment)
        try await harness.docker.killContainer(deployment.containerID)
        try await eventually { harness.snapshot(deployment.performerID)?.generation == 2 }
        #expect(harness.roster.isServing(neighbour))
        try await eventually { harness.snapshot(deployment.performerID)?.state == .running }
        let snapshot = try #require(harness.snapshot(deployment.performerID))
        #expect(snapshot.restarts == 1 && snapshot.containerID != deployment.containerID)
        #expect(snapshot.lastError?.contains("was killed (exit code 137)") == true, "\(snapshot.lastError ?? "no error")")
        #expect(snapshot.logTail.first == "stub: mode serve")
        #expect(harness.roster.isServing(avs))
        let record = try #require(try await store.performers().first { $0.id == deployment.performerID })
        #expect(record.generation == 2 && record.containerID == snapshot.containerID && record.role == .inService)
        let details = try await harness.docker.container(try #require(snapshot.containerID))
        #expect(details.config.labels[ContainerLabels.generation] == "2")
        #expect(try await harness.containers().count == 2)
        #expect(harness.performers.openConnections == 2)
        #expect(harness.events.values.contains(.restarted(avs: avs)))
      }
    }
  }

  @Test("replaces a container whose performer says that it does not serve")
  func replacesContainerWhosePerformerSaysThat() async throws {
    try await PerformerHarness.withInstallation { store in
      try await PerformerHarness.run(store: store) { harness in
        let deployment = try await harness.service.deploy(.stub(avs), origin: .deployment)
        harness.performers.say(.notServing("NOT_SERVING"), for: deployment.performerID)
        try await eventually { !harness.roster.isServing(avs) }
        #expect(harness.service.notReady().first?.contains("NOT_SERVING") == true)
        try await eventually { (harness.snapshot(deployment.performerID)?.generation ?? 0) > 1 }
        harness.performers.say(.serving, for: deployment.performerID)
        try await eventually { harness.roster.isServing(avs) }
        #expect(harness.service.notReady().isEmpty)
        #expect(harness.snapshot(deployment.performerID)?.containerID != deployment.containerID)
      }
    }
  }

  @Test("keeps trying while containers cannot be created, and can still remove the performer")
  func keepsTryingWhileContainersCannotBeCreated() async throws {
    var settings = PerformerHarness.settings
    settings.probes.startupLimit = .milliseconds(300)
    try await PerformerHarness.withInstallation { store in
      try await PerformerHarness.run(store: store, settings: settings) { harness in
        let deployment = try await harness.service.deploy(.stub(avs), origin: .deployment)
        harness.performers.say(.notServing("broken"), for: deployment.performerID)
        try await eventually(within: .seconds(30)) { (harness.snapshot(deployment.performerID)?.restarts ?? 0) >= 3 }
        try await harness.service.remove(performerID: deployment.performerID)
        let isEmpty = try await harness.isEmpty()
        #expect(isEmpty)
        #expect(harness.service.snapshots().isEmpty && harness.performers.openConnections == 0)
      }
    }
  }

  @Test("notices a container that was removed while nobody listened")
  func noticesContainerThatWasRemovedWhileNobody() async throws {
    try await PerformerHarness.withInstallation { store in
      try await PerformerHarness.run(store: store) { harness in
        let deployment = try await harness.service.deploy(.stub(avs), origin: .deployment)
        try await harness.docker.removeContainer(deployment.containerID, force: true)
        try await eventually { harness.snapshot(deployment.performerID)?.generation == 2 }
        try await eventually { harness.roster.isServing(avs) }
      }
    }
  }

  @Test("does not put a performer back in service that another one has replaced meanwhile")
  func doesNotPutPerformerBackInService() async throws {
    try await PerformerHarness.withInstallation { store in
      let deployed = Collected<Deployment>()
      try await PerformerHarness.run(store: store) { harness in
        deployed.append(try await harness.service.deploy(.stub(avs), origin: .deployment))
      }
      let record = try #require(try await store.performers().first)
      let rig = try await SupervisorRig(
        record, adopting: deployed.values[0].containerID, store: store, docker: try PerformerHarness.engine())
      rig.roster.publish(.init(performerID: "successor", avs: avs, capacity: 1, connection: FakePerformer.echo()))
      try await rig.run {
        // It recovers before it hears that it is to go.
        try await eventually { rig.snapshot?.state == .running }
        #expect(rig.roster.snapshot().map(\.performerID) == ["successor"])
        try await rig.mailbox.retire().get()
        #expect(rig.roster.acquire(avs)?.entry.performerID == "successor")
      }
      #expect(rig.performers.openConnections == 0)
    }
  }

  @Test("creates containers of the image that was put in service, however far its tag has moved on")
  func createsContainersOfImageThatWasPutInService() async throws {
    var settings = PerformerHarness.settings
    settings.probes.startupLimit = .milliseconds(300)
    let docker = try PerformerHarness.engine()
    let original = try await StubImage.ensure(on: docker)
    _ = try await StubImage.ensureWithVolume(on: docker)
    var spec = PerformerSpec.stub(avs)
    spec.image = ImageReference(repository: StubImage.repository, tag: "moving-\(avs.description.dropFirst(2))", digest: nil)
    let (tag, moving) = (try #require(spec.image.tag), spec)
    try await docker.tagImage(StubImage.reference, repository: StubImage.repository, tag: tag)
    try await PerformerHarness.withInstallation { store in
      try await PerformerHarness.run(store: store, settings: settings) { harness in
        let deployment = try await harness.service.deploy(moving, origin: .deployment)
        try await docker.tagImage(StubImage.withVolume, repository: StubImage.repository, tag: tag)
        harness.performers.say(.notServing("broken"), for: deployment.performerID)
        try await eventually { (harness.snapshot(deployment.performerID)?.restarts ?? 0) >= 3 }
        harness.performers.say(.serving, for: deployment.performerID)
        try await eventually { harness.roster.isServing(avs) }
        let containerID = try #require(harness.snapshot(deployment.performerID)?.containerID)
        #expect(try await docker.container(containerID).imageID == original)
        #expect(try await store.performers().first?.imageID == original)
      }
      // The next daemon keeps to it as well.
      for container in try await docker.containers(
        labels: ["\(ContainerLabels.installation)=\(try await store.installationID())"], all: true)
      { try await docker.removeContainer(container.id, force: true) }
      try await PerformerHarness.run(store: store) { harness in
        try await eventually { harness.roster.isServing(avs) }
        #expect(try await docker.container(try #require(harness.onlyPerformer?.containerID)).imageID == original)
      }
    }
    try await docker.removeImage("\(StubImage.repository):\(tag)")
  }

  @Test("counts a performer with tasks as executing")
  func countsPerformerWithTasksAsExecuting() async throws {
    try await PerformerHarness.withInstallation { store in
      try await PerformerHarness.run(store: store) { harness in
        _ = try await harness.service.deploy(.stub(avs), origin: .deployment)
        #expect(harness.onlyPerformer?.state == .running)
        let task = try #require(harness.roster.acquire(avs))
        #expect(harness.onlyPerformer?.state == .executing)
        #expect(harness.onlyPerformer?.status == "InService")
        harness.roster.release(task)
        #expect(harness.onlyPerformer?.state == .running)
      }
    }
  }
}
