import PonosContainers
import PonosCore
import PonosDocker
import PonosStore
import PonosTesting
import Testing

@Suite("Deploying replicas")
struct ReplicaDeploymentTests {
  let avs = EthereumAddress.random

  private func allotments(_ replicas: Int) -> [EthereumAddress: PerformerAllotment] {
    [avs: PerformerAllotment(concurrency: 8, limits: PerformerSpec.stub(avs).limits, replicas: replicas)]
  }

  private func serving(_ harness: PerformerHarness) -> [String] {
    harness.service.snapshots().filter { $0.status == "InService" }.map(\.performerID).sorted()
  }

  @Test("brings up as many containers as are configured, side by side; each is replaced by itself, and a restart adopts all")
  func bringsUpAsManyContainersAsAreConfigured() async throws {
    try await PerformerHarness.withInstallation { store in
      let first = Collected<[String]>()
      try await PerformerHarness.run(store: store, configured: [.stub(avs)], allotments: allotments(3)) { harness in
        try await eventually { serving(harness).count == 3 && harness.roster.snapshot().count == 3 }
        #expect(Set(harness.roster.snapshot().map(\.replica)) == [0, 1, 2])
        #expect(try await harness.containers().count == 3)
        #expect(harness.service.notReady().isEmpty)
        first.append(serving(harness))
        let victim = try #require(harness.service.snapshots().first)
        try await harness.docker.removeContainer(try #require(victim.containerID), force: true)
        try await eventually { harness.snapshot(victim.performerID)?.generation == 2 }
        #expect(harness.roster.isServing(avs), "the others serve meanwhile")
        try await eventually { harness.roster.snapshot().count == 3 }
      }
      try await PerformerHarness.run(store: store, configured: [.stub(avs)], allotments: allotments(2)) { harness in
        try await eventually { harness.roster.snapshot().count == 2 }
        #expect(try await harness.containers().count == 2)
        #expect(Set(serving(harness)).isSubset(of: first.values[0]), "two of the three are adopted")
        #expect(harness.service.snapshots().allSatisfy { $0.restarts == 0 })
      }
    }
  }

  @Test("a deployment replaces all replicas, the first one before its caller is answered; a removal takes all away")
  func deploymentReplacesAllReplicas() async throws {
    try await PerformerHarness.withInstallation { store in
      try await PerformerHarness.run(store: store, configured: [.stub(avs)], allotments: allotments(2)) { harness in
        try await eventually { serving(harness).count == 2 }
        let old = Set(serving(harness))
        let deployment = try await harness.service.deploy(.stub(avs), origin: .deployment)
        #expect(harness.roster.snapshot().contains { $0.performerID == deployment.performerID && $0.replica == 0 })
        try await eventually { serving(harness).count == 2 && old.isDisjoint(with: serving(harness)) }
        try await eventually { try await harness.containers().count == 2 }
        #expect(try await store.performers().allSatisfy { $0.origin == .deployment })
        let other = try #require(serving(harness).first { $0 != deployment.performerID })
        // The last replica may be claimed for a moment after it is seen in service.
        try await eventually { await harness.refusal(toRemove: other) == nil }
        #expect(!harness.roster.isServing(avs))
        try await eventually { try await harness.isEmpty() }
        #expect(harness.service.snapshots().isEmpty)
      }
    }
  }

  @Test("replicas that are missing after a restart follow what was deployed")
  func replicasThatAreMissingAfterRestartFollow() async throws {
    try await PerformerHarness.withInstallation { store in
      let first = Collected<Deployment>()
      try await PerformerHarness.run(store: store) { harness in
        first.append(try await harness.service.deploy(.stub(avs), origin: .deployment))
      }
      try await PerformerHarness.run(store: store, configured: [.stub(avs, mode: "exit")], allotments: allotments(2)) { harness in
        try await eventually { serving(harness).count == 2 }
        #expect(serving(harness).contains(first.values[0].performerID))
        #expect(try await store.performers().allSatisfy { $0.spec == .stub(avs) })
      }
    }
  }
}
