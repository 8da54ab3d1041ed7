import Foundation
import GRPCCore
import PonosAPI
import PonosAggregator
import PonosCore
import PonosCrypto
import PonosExecutorTesting
import PonosTesting
import Testing

extension Acceptance {
  /// A file as the public executor has it, without `registry`, on a chain of real EVM blocks.
  @Suite("The chain decides")
  struct ChainTests {
    /// Runs a daemon whose AVSs are registered on a chain: aggregators in set 7, of the curve at the same place in `curves`.
    private func running(
      endpoints: Int = 1, blockTime: Double = 0, curves: [SignatureCurve] = [.ecdsa], settings: [String: String] = [:],
      _ body: (TestChain, Daemon) async throws -> Void
    ) async throws {
      try await TestChain.running(endpoints: endpoints, blockTime: blockTime) { chain in
        var configuration = DaemonConfiguration(.scripted())
        configuration.avs += curves.dropFirst().map { _ in .scripted() }
        configuration.rpcURLs = chain.urls
        configuration.chainSettings = settings
        for (avs, curve) in zip(configuration.avs, curves) {
          let aggregator = TestAggregator.registered(curve)
          try await chain.mine(
            ChainChange.complete(
              avs.address, aggregator: (aggregator.address, aggregator.key), aggregatorSet: 7,
              operatorAddress: DaemonConfiguration.operatorAddress,
              executorKeys: [TestKeys.executor(.ecdsa), TestKeys.executor(.bn254)], firstSet: 0))
        }
        try await Daemon.running(configuration) { try await body(chain, $0) }
      }
    }

    private func submission(
      _ payload: String, _ daemon: Daemon, _ block: UInt64, avs: Int = 0, set: SignatureCurve = .ecdsa,
      by aggregator: TestAggregator = .registered(.ecdsa)
    ) throws -> WireSubmission {
      var draft = daemon.draft(payload, avs: daemon.configuration.avs[avs].address, set: set)
      draft.blockNumber = block
      return try aggregator.sign(draft)
    }

    @Test("runs tasks for the four pairs of curves, and shows no access key anywhere")
    func runsTasksForFourPairsOfCurves() async throws {
      try await running(curves: [.ecdsa, .bn254]) { chain, daemon in
        let head = try await chain.mine().number
        for (index, curve) in [SignatureCurve.ecdsa, .bn254].enumerated() {
          for set in SignatureCurve.allCases {
            let submission = try submission("0x04", daemon, head, avs: index, set: set, by: .registered(curve))
            #expect(try await daemon.answer(to: submission) == "0x04")
          }
        }
        let forged = try submission(
          "0x04", daemon, head, by: TestAggregator(address: Refusal.stranger, key: TestKeys.stranger(.ecdsa)))
        #expect(try await daemon.refusal(of: forged).ponosCode == "aggregator_not_registered")
        let metrics = try await daemon.operations.get("/metrics").body
        for name in ["eigen_rpc_request_total", "eigen_rpc_request_duration_seconds", "ponos_chain_head_block"] {
          #expect(metrics.contains(name), "\(name)")
        }
        for text in [metrics, daemon.log] { #expect(!text.contains(TestChain.secret)) }
      }
    }

    @Test("survives the end of one endpoint under load without a failed task")
    func survivesEndOfOneEndpointUnderLoadWithoutFailed() async throws {
      try await running(endpoints: 2, blockTime: 0.5) { chain, daemon in
        let faults: [TestChain.Fault] = [.hang, .error, .garbage, .cut, .limited, .none]
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask {
            for fault in faults {
              try await chain.fail(fault, endpoints: [0])
              try await Task.sleep(for: .seconds(1))
            }
          }
          for _ in 0..<4 {
            group.addTask {
              for _ in 0..<20 {
                let block = try await chain.head().number
                #expect(try await daemon.answer(to: try submission("0x04", daemon, block)) == "0x04")
              }
            }
          }
          try await group.waitForAll()
        }
      }
    }

    @Test("goes on through an outage of a minute, refuses after a restart in it, and heals by itself")
    func goesOnThroughOutageOfMinute() async throws {
      try await running { chain, daemon in
        let head = try await chain.head().number
        #expect(try await daemon.answer(to: try submission("0x04", daemon, head)) == "0x04")
        try await chain.fail(.refuse)
        let start = ContinuousClock.now
        while ContinuousClock.now - start < .seconds(60) {
          #expect(try await daemon.answer(to: try submission("0x04", daemon, head)) == "0x04")
          try await Task.sleep(for: .seconds(5))
        }
        _ = try await daemon.stop()
        try daemon.launch()
        try await wait(until: "submissions to be refused", within: .seconds(30)) {
          let error = try? await daemon.refusal(of: try submission("0x04", daemon, head))
          return error?.ponosCode == "chain_unavailable" && error?.code == .unavailable
        }
        #expect(await !daemon.operations.isReady())
        try await chain.fail(.none)
        try await daemon.becomeReady()
        #expect(try await daemon.answer(to: try submission("0x04", daemon, head)) == "0x04")
      }
    }

    @Test("keeps tasks accepted before, when it starts while the chain is away")
    func keepsTasksAcceptedBefore() async throws {
      try await running { chain, daemon in
        let head = try await chain.head().number
        let slow = try submission("delay 3000 done", daemon, head)
        async let lost: WireResult? = try? await daemon.submit(slow)
        try await wait(until: "the task to run", within: .seconds(10)) {
          try await daemon.operations.state().recentTasks.contains { $0.phase == "executing" }
        }
        try await daemon.crash()
        _ = await lost
        try await chain.fail(.refuse)
        try daemon.launch()
        try await wait(until: "the daemon to serve", within: .seconds(30)) { try await daemon.serves(daemon.avs) }
        try await chain.fail(.none)
        try await daemon.becomeReady()
        let result = try await daemon.submit(slow)
        try daemon.check(result, for: slow)
      }
    }

    @Test("does not start where nothing it signs would be accepted")
    func doesNotStartWhereNothingItSignsWouldBeAccepted() async throws {
      try await TestChain.running { chain in
        var configuration = DaemonConfiguration(.scripted())
        configuration.rpcURLs = chain.urls
        configuration.more = "contracts: {ecdsaCertificateVerifier: \"0x00000000000000000000000000000000000a0000\"}"
        let daemon = try Daemon(configuration)
        try daemon.launch()
        let status = try await daemon.child?.ended(within: .seconds(30))
        #expect(status != 0)
        #expect(daemon.log.contains("domainSeparator"))
        try await daemon.remove()
      }
    }
  }
}
