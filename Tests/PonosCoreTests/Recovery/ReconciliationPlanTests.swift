import PonosCore
import Testing

@Suite("Reconciliation plan")
struct ReconciliationPlanTests {
  typealias Stored = ReconciliationPlan.Stored
  typealias Container = ReconciliationPlan.Container

  @Test("adopts a running container that is the performer's own")
  func adoptsRunningContainerThatIsPerformersOwn() {
    let plan = plan([performer("a")], [container("ca", of: "a")])
    #expect(plan.adoptions.map(\.containerID) == ["ca"])
    #expect(plan.recreations.isEmpty && plan.removedContainers.isEmpty && plan.removedPerformers.isEmpty)
  }

  @Test("adopts a container whose id was never written down")
  func adoptsContainerWhoseIdWasNeverWrittenDown() {
    var stored = performer("a")
    stored.containerID = nil
    #expect(plan([stored], [container("new", of: "a")]).adoptions.map(\.containerID) == ["new"])
  }

  @Test("replaces a container that ended, vanished, or is of another generation, and removes what is left of it")
  func replacesContainerThatEnded() {
    #expect(plan([performer("a")], []).recreations == ["a"])
    let ended = plan([performer("a")], [container("ca", of: "a", isRunning: false)])
    #expect(ended.recreations == ["a"] && ended.removedContainers == ["ca"])
    let old = plan([performer("a", generation: 3)], [container("ca", of: "a", generation: 2)])
    #expect(old.recreations == ["a"] && old.removedContainers == ["ca"])
    let other = plan([performer("a")], [container("someone", of: "a")])
    #expect(other.recreations == ["a"] && other.removedContainers == ["someone"])
  }

  @Test("rolls back a deployment that was cut off, and keeps the performer it was to replace")
  func rollsBackDeploymentThatWasCutOff() {
    let plan = plan(
      [performer("a"), performer("b", isStaged: true, createdAt: 2)],
      [container("ca", of: "a"), container("cb", of: "b")])
    #expect(plan.adoptions.map(\.performerID) == ["a"])
    #expect(plan.removedPerformers == ["b"] && plan.removedContainers == ["cb"])
  }

  @Test("finishes a replacement that was cut off: the later performer stays")
  func finishesReplacementThatWasCutOff() {
    let plan = plan(
      [performer("a"), performer("b", createdAt: 2)], [container("ca", of: "a"), container("cb", of: "b")])
    #expect(plan.adoptions.map(\.performerID) == ["b"])
    #expect(plan.removedPerformers == ["a"] && plan.removedContainers == ["ca"])
  }

  @Test("removes containers of ours that no performer claims")
  func removesContainersOfOursThatNoPerformerClaims() {
    let plan = plan([], [container("x", of: "gone"), Container(id: "y", performerID: nil, generation: nil, isRunning: true)])
    #expect(plan.removedContainers == ["x", "y"])
  }

  @Test("redeploys a configured performer whose image, environment or limits changed, next to the one that serves")
  func redeploysConfiguredPerformerWhoseImage() {
    var image = spec
    image.image = ImageReference(repository: "r", tag: "2", digest: nil)
    var environment = spec
    environment.environment = [EnvironmentVariable(name: "A", source: .literal("1"))]
    var limits = spec
    limits.limits.pids = 7
    for changed in [image, environment, limits] {
      let plan = plan([performer("a", origin: .configuration)], [container("ca", of: "a")], [changed])
      #expect(plan.deployments == [.init(changed)])
      #expect(plan.adoptions.map(\.performerID) == ["a"])
    }
  }

  @Test("takes over a changed concurrency without a new container")
  func takesOverChangedConcurrencyWithoutNewContainer() {
    var changed = spec
    changed.concurrency = 3
    let plan = plan([performer("a", origin: .configuration)], [container("ca", of: "a")], [changed])
    #expect(plan.deployments.isEmpty && plan.updatedSpecs == ["a": changed])
  }

  @Test(
    "gives a performer from DeployArtifact the limits of the configuration in a new container, and its concurrency without one")
  func givesPerformerFromDeployArtifactLimits() {
    let stored = performer("a", origin: .deployment)
    func plan(_ change: (inout PerformerAllotment) -> Void) -> ReconciliationPlan {
      var allotment = PerformerAllotment(concurrency: spec.concurrency, limits: spec.limits)
      change(&allotment)
      return ReconciliationPlan(
        stored: [stored, performer("b", avs: 1)], containers: [container("ca", of: "a")], configured: [],
        allotments: [spec.avs: allotment])
    }
    let same = plan { _ in }
    #expect(same.renewals.isEmpty && same.updatedSpecs.isEmpty)
    let wider = plan { $0.concurrency = 3 }
    #expect(wider.renewals.isEmpty && wider.updatedSpecs["a"]?.concurrency == 3 && wider.updatedSpecs.count == 1)
    let http = PerformerInterface(style: .http(taskPath: "/t", healthPath: "/h"), port: 9000)
    let otherwise = plan { $0.interface = http }
    #expect(otherwise.renewals.isEmpty && otherwise.updatedSpecs["a"]?.interface == http)
    let smaller = plan {
      $0.concurrency = 3
      $0.limits.pids = 7
    }
    var expected = spec
    (expected.concurrency, expected.limits.pids) = (3, 7)
    #expect(smaller.renewals == [.init(performerID: "a", spec: expected, startsRollout: true)])
    #expect(smaller.updatedSpecs.isEmpty && smaller.deployments.isEmpty && smaller.adoptions.map(\.performerID) == ["a"])
  }

  @Test("deploys what is configured and missing; leaves a later DeployArtifact alone; drops what the file dropped")
  func deploysWhatIsConfiguredAndMissing() {
    #expect(plan([], [], [spec]).deployments == [.init(spec)])
    var changed = spec
    changed.image = ImageReference(repository: "r", tag: "2", digest: nil)
    #expect(plan([performer("a", origin: .deployment)], [container("ca", of: "a")], [changed]).deployments.isEmpty)
    let dropped = plan([performer("a", origin: .configuration)], [container("ca", of: "a")], [])
    #expect(dropped.removedPerformers == ["a"] && dropped.removedContainers == ["ca"])
    let staged = plan([performer("a", origin: .configuration, isStaged: true)], [], [spec])
    #expect(staged.removedPerformers == ["a"] && staged.deployments == [.init(spec)])
  }

  @Test("fills every replica of a configured AVS, and forgets replicas beyond their number")
  func fillsEveryReplicaOfConfiguredAVS() {
    func plan(_ stored: [Stored], replicas: Int) -> ReconciliationPlan {
      ReconciliationPlan(
        stored: stored, containers: stored.map { container("c\($0.performerID)", of: $0.performerID) }, configured: [spec],
        allotments: [spec.avs: PerformerAllotment(concurrency: spec.concurrency, limits: spec.limits, replicas: replicas)])
    }
    let two = [
      performer("a", origin: .configuration), performer("b", origin: .configuration, replica: 1),
    ]
    #expect(plan([], replicas: 2).deployments == [.init(spec), .init(spec, replica: 1)])
    let more = plan(two, replicas: 3)
    #expect(more.adoptions.map(\.performerID) == ["a", "b"] && more.deployments == [.init(spec, replica: 2)])
    let fewer = plan(two, replicas: 1)
    #expect(fewer.adoptions.map(\.performerID) == ["a"] && fewer.removedPerformers == ["b"] && fewer.deployments.isEmpty)
  }

  @Test("has all replicas run what DeployArtifact brought last")
  func hasAllReplicasRunWhatDeployArtifactBroughtLast() {
    var newer = spec
    newer.image = ImageReference(repository: "r", tag: "2", digest: nil)
    var leader = performer("a", createdAt: 9)
    leader.spec = newer
    let stored = [leader, performer("b", origin: .configuration, replica: 1)]
    func plan(_ allotment: PerformerAllotment) -> ReconciliationPlan {
      ReconciliationPlan(
        stored: stored, containers: stored.map { container("c\($0.performerID)", of: $0.performerID) }, configured: [spec],
        allotments: [spec.avs: allotment])
    }
    let plan3 = plan(PerformerAllotment(concurrency: spec.concurrency, limits: spec.limits, replicas: 3))
    #expect(plan3.deployments.isEmpty)
    #expect(
      plan3.renewals == [
        .init(performerID: "a", spec: newer, replica: 1), .init(performerID: "a", spec: newer, replica: 2),
      ])
    // New limits: first the one that was deployed, the others after it.
    var limits = spec.limits
    limits.pids = 7
    let renewed = plan(PerformerAllotment(concurrency: spec.concurrency, limits: limits, replicas: 3))
    newer.limits = limits
    #expect(renewed.renewals == [.init(performerID: "a", spec: newer, replica: 0, startsRollout: true)])
  }

  @Test("accounts for everything over random histories: each performer and container has exactly one fate")
  func accountsForEverythingOverRandomHistories() {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<3000 {
      let stored = (0..<Int.random(in: 0...6, using: &random)).map { number in
        performer(
          "p\(number)", avs: UInt8.random(in: 0...2, using: &random), origin: Bool.random() ? .configuration : .deployment,
          isStaged: Bool.random(), generation: Int.random(in: 1...2, using: &random), createdAt: Int64(number),
          containerID: Bool.random() ? nil : "c\(Int.random(in: 0...6, using: &random))",
          replica: Int.random(in: 0...2, using: &random))
      }
      let containers = (0..<Int.random(in: 0...7, using: &random)).map { number in
        container(
          "c\(number)", of: Bool.random() ? nil : "p\(Int.random(in: 0...6, using: &random))",
          generation: Int.random(in: 1...2, using: &random), isRunning: Bool.random())
      }
      let configured = [spec(avs: 0), spec(avs: 1)].filter { _ in Bool.random() }
      let replicas = Int.random(in: 1...3, using: &random)
      let allotments = Dictionary(
        uniqueKeysWithValues: [spec(avs: 0), spec(avs: 1)].map {
          ($0.avs, PerformerAllotment(concurrency: $0.concurrency, limits: $0.limits, replicas: replicas))
        })
      check(
        ReconciliationPlan(stored: stored, containers: containers, configured: configured, allotments: allotments), stored,
        containers, configured, replicas)
    }
  }

  private func check(
    _ plan: ReconciliationPlan, _ stored: [Stored], _ containers: [Container], _ configured: [PerformerSpec], _ replicas: Int
  ) {
    let kept = plan.adoptions.map(\.performerID) + plan.recreations
    #expect((kept + plan.removedPerformers).sorted() == stored.map(\.performerID).sorted())
    #expect((plan.adoptions.map(\.containerID) + plan.removedContainers).sorted() == containers.map(\.id).sorted())
    let keptReplicas = stored.filter { kept.contains($0.performerID) }.map { ReplicaID(avs: $0.spec.avs, replica: $0.replica) }
    #expect(Set(keptReplicas).count == keptReplicas.count, "one performer for each replica")
    #expect(stored.allSatisfy { !$0.isStaged || plan.removedPerformers.contains($0.performerID) })
    let taken =
      keptReplicas + plan.deployments.map { ReplicaID(avs: $0.spec.avs, replica: $0.replica) }
      + plan.renewals.map { ReplicaID(avs: $0.spec.avs, replica: $0.replica) }
    // Where the deployed performer is renewed first, the others follow it.
    let led = Set(plan.renewals.filter(\.startsRollout).map(\.spec.avs))
    for spec in configured where !led.contains(spec.avs) {
      for replica in 0..<replicas { #expect(taken.contains(ReplicaID(avs: spec.avs, replica: replica))) }
    }
    #expect(plan.adoptions.allSatisfy { adoption in containers.contains { $0.id == adoption.containerID && $0.isRunning } })
  }

  @Test("of a running daemon removes containers that nobody claims, and leaves those of a performer that is brought up")
  func removesWhatNobodyClaims() {
    let claims: [ReconciliationPlan.Claim] = [
      .init(performerID: "serving", containers: .only("current")), .init(performerID: "starting", containers: .all),
      .init(performerID: "bare", containers: .only(nil)),
    ]
    let plan = ReconciliationPlan(
      expected: claims, claims: claims,
      containers: [
        container("current", of: "serving"), container("old", of: "serving"), container("x", of: "starting"),
        container("y", of: "starting", isRunning: false), container("z", of: "bare"), container("orphan", of: "unknown"),
        container("unlabelled", of: nil),
      ])
    #expect(plan.removedContainers == ["old", "z", "orphan", "unlabelled"])
    #expect(plan.losses.isEmpty && plan.recreations.isEmpty && plan.deployments.isEmpty && plan.removedPerformers.isEmpty)
  }

  @Test("of a running daemon names containers that ended or are gone, and removes none of those that ended")
  func ofRunningDaemonNamesContainersThatEndedOrAreGone() {
    let claims = ["ended", "gone", "serving"].map { ReconciliationPlan.Claim(performerID: $0, containers: .only("of-\($0)")) }
    let plan = ReconciliationPlan(
      expected: claims, claims: claims,
      containers: [container("of-ended", of: "ended", isRunning: false), container("of-serving", of: "serving")])
    #expect(
      plan.losses == [.init(performerID: "ended", containerID: "of-ended"), .init(performerID: "gone", containerID: "of-gone")])
    #expect(plan.removedContainers.isEmpty, "a supervisor reads its last words first")
  }

  @Test("of a running daemon holds nothing against a container that came into service while the list was made")
  func toleratesWhatComesMeanwhile() {
    let plan = ReconciliationPlan(
      expected: [.init(performerID: "a", containers: .all)], claims: [.init(performerID: "a", containers: .only("new"))],
      containers: [container("late", of: "b")])
    #expect(plan.losses.isEmpty && plan.removedContainers == ["late"])
  }

  private let spec = PerformerSpec(
    avs: EthereumAddress([UInt8](repeating: 0, count: 20))!, image: ImageReference(repository: "r", tag: "1", digest: nil))

  private func spec(avs: UInt8) -> PerformerSpec {
    var spec = spec
    spec.avs = EthereumAddress([UInt8](repeating: avs, count: 20))!
    return spec
  }

  private func plan(_ stored: [Stored], _ containers: [Container], _ configured: [PerformerSpec] = []) -> ReconciliationPlan {
    ReconciliationPlan(stored: stored, containers: containers, configured: configured)
  }

  private func performer(
    _ id: String, avs: UInt8 = 0, origin: PerformerOrigin = .deployment, isStaged: Bool = false, generation: Int = 1,
    createdAt: Int64 = 1, containerID: String? = nil, replica: Int = 0
  ) -> Stored {
    Stored(
      performerID: id, spec: spec(avs: avs), replica: replica, origin: origin, isStaged: isStaged, generation: generation,
      containerID: containerID ?? "c\(id)", createdAt: createdAt)
  }

  private func container(_ id: String, of performer: String?, generation: Int = 1, isRunning: Bool = true) -> Container {
    Container(id: id, performerID: performer, generation: generation, isRunning: isRunning)
  }
}
