import PonosContainers
import PonosContainersTesting
import PonosCore
import PonosDocker
import PonosStore
import PonosStoreTesting
import PonosTesting
import Testing

@Suite("Deploying performers")
struct DeploymentTests {
  let avs = EthereumAddress.random

  @Test("creates a hardened, labelled container in a network of its own, and puts it in service")
  func createsHardenedLabelledContainerInNetwork() async throws {
    try await PerformerHarness.withInstallation { store in
      try await PerformerHarness.run(store: store) { harness in
        let deployment = try await harness.service.deploy(.stub(avs), origin: .deployment)
        #expect(deployment.performerID.hasPrefix("performer-\(avs)-"))
        #expect(deployment.deploymentID.hasPrefix("deployment-\(avs)-"))
        #expect(harness.roster.isServing(avs))
        let details = try await harness.docker.container(deployment.containerID)
        try check(details.hostConfig)
        #expect(details.config.labels[ContainerLabels.performer] == deployment.performerID)
        #expect(details.config.labels[ContainerLabels.avs] == avs.description)
        #expect(details.config.labels[ContainerLabels.generation] == "1")
        #expect(details.name.hasPrefix("ponos-\(avs.description.dropFirst(2).prefix(6))-"))
        let network = try #require(details.addresses.keys.first)
        #expect(try await harness.docker.network(network)?.isInternal == true)
        #expect(try await harness.docker.network(network)?.options["com.docker.network.bridge.enable_icc"] == "false")
        let log = try await harness.docker.logTail(ofContainer: deployment.containerID, lines: 10)
        #expect(log.contains("stub: /tmp writable") && log.contains("stub: / Read-only file system"))
        let snapshot = try #require(harness.onlyPerformer)
        #expect(snapshot.status == "InService" && snapshot.containerHealthy && snapshot.applicationHealthy)
        #expect(snapshot.containerID == deployment.containerID && snapshot.lastHealthCheck != nil)
        #expect(harness.service.notReady().isEmpty)
        #expect(harness.performers.openConnections == 1)
      }
    }
  }

  private func check(_ host: HostConfig) throws {
    #expect(host.capDrop == ["ALL"] && (host.capAdd ?? []).isEmpty)
    #expect(host.securityOptions == ["no-new-privileges"])
    #expect(host.privileged == false && host.readonlyRootfs == true && host.`init` == true)
    #expect(host.tmpfs?["/tmp"]?.contains("noexec,nosuid") == true)
    #expect(host.memory == 32 << 20 && host.memorySwap == 32 << 20)
    #expect(host.nanoCPUs == 1_000_000_000 && host.pidsLimit == 256)
    #expect(host.logConfig == LogConfig(type: "json-file", options: ["max-size": "10485760", "max-file": "3"]))
    #expect(host.restartPolicy?.name == "no" && host.autoRemove == false)
    #expect(host.shmSize == 64 << 20)
    #expect((host.portBindings ?? [:]).isEmpty && (host.binds ?? []).isEmpty)
  }

  @Test("puts a small file system in memory where the image declares a volume, and no directory of the host")
  func putsSmallFileSystemInMemoryWhereImageDeclares() async throws {
    var spec = PerformerSpec.stub(avs, environment: [EnvironmentVariable(name: "STUB_VOLUME", source: .literal("/data"))])
    spec.image = ImageReference(repository: StubImage.repository, tag: "\(StubImage.tag)-volume", digest: nil)
    spec.limits.tmpfsBytes = 2 << 20
    let withVolume = spec
    _ = try await StubImage.ensureWithVolume(on: try PerformerHarness.engine())
    try await PerformerHarness.withInstallation { store in
      try await PerformerHarness.run(store: store) { harness in
        let deployment = try await harness.service.deploy(withVolume, origin: .deployment)
        let log = try await harness.docker.logTail(ofContainer: deployment.containerID, lines: 10)
        #expect(log.contains("stub: /data writable, tmpfs of \(2 << 20) bytes"), "\(log)")
        let host = try await harness.docker.container(deployment.containerID).hostConfig
        #expect(host.mounts == [.tmpfs(at: "/data", sizeBytes: 2 << 20)] && host.shmSize == 2 << 20)
      }
    }
  }

  @Test("says of a performer that serves but cannot be written down that nothing of it runs")
  func saysOfPerformerThatServesButCannotBeWrittenDown() async throws {
    let store = FaultyStore()
    store.fail([.inService])
    try await PerformerHarness.withInstallation(store) { store in
      try await PerformerHarness.run(store: store, configured: [.stub(avs)]) { harness in
        try await eventually { harness.onlyPerformer?.state == .failed }
        let failed = try #require(harness.onlyPerformer)
        #expect(!failed.containerHealthy && failed.containerID == nil)
      }
    }
  }

  @Test("refuses a network that would undo the isolation, by whatever name it is given")
  func refusesNetworkThatWouldUndoIsolation() async throws {
    var settings = PerformerHarness.settings
    settings.networkName = try #require(try await PerformerHarness.engine().network("host")?.id)
    try await PerformerHarness.withInstallation { store in
      try await PerformerHarness.run(store: store, settings: settings) { harness in
        let error = await harness.refusal(.stub(avs))
        #expect(error?.code == .containerRefused)
        #expect(error?.message.contains("performerNetworkName") == true)
      }
    }
  }

  @Test("replaces a performer without a gap: the old one keeps its tasks until they are done")
  func replacesPerformerWithoutGap() async throws {
    try await PerformerHarness.withInstallation { store in
      try await PerformerHarness.run(store: store) { harness in
        let old = try await harness.service.deploy(.stub(avs), origin: .deployment)
        let task = try #require(harness.roster.acquire(avs))
        let new = try await harness.service.deploy(.stub(avs), origin: .deployment)
        #expect(harness.roster.acquire(avs)?.entry.performerID == new.performerID)
        try await eventually { harness.snapshot(old.performerID)?.state == .stopping }
        #expect(try await harness.docker.container(old.containerID).state.isRunning)
        harness.roster.release(task)
        try await eventually { try await harness.containers().map(\.id) == [new.containerID] }
        try await eventually { harness.service.snapshots().map(\.performerID) == [new.performerID] }
        #expect(try await store.performers().map(\.id) == [new.performerID])
        #expect(harness.performers.openConnections == 1)
      }
    }
  }

  @Test("leaves the old performer serving when the new one fails, and says why with its last words")
  func leavesOldPerformerServingWhenNewOneFails() async throws {
    try await PerformerHarness.withInstallation { store in
      try await PerformerHarness.run(store: store) { harness in
        let old = try await harness.service.deploy(.stub(avs), origin: .deployment)
        let exited = await harness.refusal(.stub(avs, mode: "exit"))
        #expect(exited?.code == .performerExited)
        #expect(exited?.message.contains("exit code 3") == true)
        #expect(exited?.logTail.contains("stub: no answer to be found") == true)
        let greedy = await harness.refusal(.stub(avs, mode: "eat"))
        #expect(greedy?.code == .performerExited)
        #expect(greedy?.message.contains("memory") == true)
        try await expectOnly(old, harness)
        #expect(harness.events.values.contains(.deploymentFailed(avs: avs, .performerExited)))
      }
    }
  }

  @Test("gives up on a performer that does not come to serve", arguments: ["deaf", "serve"])
  func givesUpOnPerformerThatDoesNotComeToServe(mode: String) async throws {
    var settings = PerformerHarness.settings
    settings.probes.startupLimit = .seconds(2)
    let health = ProbeResult.notServing("NOT_SERVING")
    try await PerformerHarness.withInstallation { store in
      try await PerformerHarness.run(store: store, performers: FakePerformers(health: health), settings: settings) { harness in
        let error = await harness.refusal(.stub(avs, mode: mode))
        #expect(error?.code == .performerNotServing)
        #expect(error?.logTail.first == "stub: mode \(mode)")
        let isEmpty = try await harness.isEmpty()
        #expect(isEmpty)
        #expect(harness.service.snapshots().isEmpty && !harness.roster.isServing(avs))
        #expect(harness.performers.openConnections == 0)
      }
    }
  }

  @Test("reports images that cannot be had, each in its own way")
  func reportsImagesThatCannotBeHad() async throws {
    try await PerformerHarness.withInstallation { store in
      try await PerformerHarness.run(store: store) { harness in
        let cases: [(ImageReference, PullPolicy, DeploymentError.Code)] = [
          (ImageReference(repository: "ponos-test/none", tag: "1", digest: nil), .never, .imageNotFound),
          (ImageReference(repository: "127.0.0.1:1/none", tag: "1", digest: nil), .ifNotPresent, .registryUnavailable),
          (ImageReference(repository: "127.0.0.1:1/None", tag: "1", digest: nil), .always, .invalidImage),
        ]
        for (image, policy, code) in cases {
          var spec = PerformerSpec.stub(avs)
          (spec.image, spec.pullPolicy) = (image, policy)
          let error = await harness.refusal(spec)
          #expect(error?.code == code, "\(image)")
        }
        let isEmpty = try await harness.isEmpty()
        #expect(isEmpty)
      }
    }
  }

  @Test("deploys an image that was built here by its id, and only under its own name")
  func deploysImageThatWasBuiltHereByItsId() async throws {
    try await PerformerHarness.withInstallation { store in
      try await PerformerHarness.run(store: store) { harness in
        let id = try await StubImage.ensure(on: harness.docker)
        var spec = PerformerSpec.stub(avs)
        spec.image = ImageReference(repository: StubImage.repository, tag: nil, digest: id)
        _ = try await harness.service.deploy(spec, origin: .deployment)
        spec.image = ImageReference(repository: "ponos-test/other", tag: nil, digest: id)
        let error = await harness.refusal(spec)
        #expect(error?.code == .imageNotFound)
      }
    }
  }

  @Test("refuses a second deployment of the AVS at the same time, and not one of another AVS")
  func refusesSecondDeploymentOfAVSAtTheSameTime() async throws {
    try await PerformerHarness.withInstallation { store in
      try await PerformerHarness.run(store: store, performers: FakePerformers(health: .notServing("yet"))) { harness in
        async let first = harness.service.deploy(.stub(avs), origin: .deployment)
        try await eventually { harness.service.snapshots().first?.status == "Staged" }
        let second = await harness.refusal(.stub(avs))
        #expect(second?.code == .alreadyInProgress)
        async let other = harness.service.deploy(.stub(.random), origin: .deployment)
        harness.performers.say(.serving)
        _ = try await (first, other)
      }
    }
  }

  @Test("carries a deployment through though its caller went away")
  func carriesDeploymentThroughThoughItsCallerWentAway() async throws {
    try await PerformerHarness.withInstallation { store in
      try await PerformerHarness.run(store: store, performers: FakePerformers(health: .notServing("yet"))) { harness in
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask { _ = try await harness.service.deploy(.stub(avs), origin: .deployment) }
          try await eventually { harness.service.snapshots().first?.status == "Staged" }
          group.cancelAll()
          harness.performers.say(.serving)
          try await eventually { harness.roster.isServing(avs) }
        }
      }
    }
  }

  @Test("gives the container exactly the environment asked for, less what the deny-list names")
  func givesContainerExactlyEnvironmentAskedFor() async throws {
    let variables = [
      EnvironmentVariable(name: "L1_RPC_URL", source: .literal("http://a\nb")),
      EnvironmentVariable(name: "OPERATOR_PRIVATE_KEY", source: .literal("0xsecret")),
      EnvironmentVariable(name: "FROM", source: .executorEnvironment("STUB_SOURCE")),
      EnvironmentVariable(name: "UNSET", source: .executorEnvironment("STUB_NOWHERE")),
    ]
    try await PerformerHarness.withInstallation { store in
      try await PerformerHarness.run(store: store) { harness in
        let deployment = try await harness.service.deploy(.stub(avs, environment: variables), origin: .deployment)
        let environment = try await harness.docker.container(deployment.containerID).config.environment
        #expect(
          environment.filter { !$0.hasPrefix("PATH=") } == [
            "STUB_MODE=serve", "L1_RPC_URL=http://a\nb", "FROM=from the daemon", "UNSET=",
          ])
        let stored = try #require(try await store.performers().first)
        #expect(!"\(stored)".contains("0xsecret"))
        #expect(!"\(stored)".contains("from the daemon"))
      }
    }
  }

  @Test("removes a performer after its tasks, with container, record and network")
  func removesPerformerAfterItsTasks() async throws {
    try await PerformerHarness.withInstallation { store in
      try await PerformerHarness.run(store: store) { harness in
        let deployment = try await harness.service.deploy(.stub(avs), origin: .deployment)
        let task = try #require(harness.roster.acquire(avs))
        async let removal: Void = harness.service.remove(performerID: deployment.performerID)
        try await eventually { harness.snapshot(deployment.performerID)?.state == .stopping }
        #expect(harness.roster.acquire(avs) == nil)
        let busy = await harness.refusal(.stub(avs))
        #expect(busy?.code == .alreadyInProgress)
        harness.roster.release(task)
        try await removal
        let isEmpty = try await harness.isEmpty()
        #expect(isEmpty)
        #expect(harness.service.snapshots().isEmpty)
        let label = "\(ContainerLabels.installation)=\(try await store.installationID())"
        #expect(try await harness.docker.networks(labels: [label]).isEmpty)
        let unknown = await harness.refusal(toRemove: deployment.performerID)
        #expect(unknown?.code == .unknownPerformer)
        _ = try await harness.service.deploy(.stub(avs), origin: .deployment)
        #expect(harness.roster.isServing(avs))
      }
    }
  }

  private func expectOnly(_ deployment: Deployment, _ harness: PerformerHarness) async throws {
    #expect(harness.roster.acquire(avs)?.entry.performerID == deployment.performerID)
    #expect(try await harness.containers().map(\.id) == [deployment.containerID])
    #expect(try await harness.store.performers().map(\.id) == [deployment.performerID])
    #expect(harness.service.snapshots().map(\.performerID) == [deployment.performerID])
    #expect(harness.performers.openConnections == 1)
  }
}
