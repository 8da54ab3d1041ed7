import GRPCCore
import PonosAggregator
import PonosExecutorTesting
import PonosTesting
import Testing

extension Acceptance {
  /// What `/readyz` and refusals say of an AVS that cannot be served.
  @Suite("Readiness")
  struct ReadinessTests {
    private func readiness(_ daemon: Daemon) async throws -> (status: Int, body: String) {
      let page = try await daemon.operations.get("/readyz")
      return (page.status, page.body)
    }

    @Test("a circuit breaker that opens is told with the AVS, and not any more once a probe has succeeded")
    func circuitBreakerThatOpensIsToldWithAVS() async throws {
      var avs = DaemonConfiguration.AVS.scripted()
      avs.taskTimeout = "2s"
      avs.settings["circuitBreaker"] = "{consecutiveFailures: 2, openTime: 4s}"
      try await Daemon.running(DaemonConfiguration(avs)) { daemon in
        #expect(try await readiness(daemon).status == 200)
        for _ in 0..<2 { #expect(try await daemon.refusal(of: try daemon.submission("hang")).ponosCode == "task_timed_out") }
        let open = try await readiness(daemon)
        #expect(open.status == 503)
        #expect(open.body.contains("\(daemon.avs)") && open.body.contains("circuit breakers are open"), "\(open.body)")
        let refusal = try await daemon.refusal(of: try daemon.submission("echo x"))
        #expect(refusal.code == .unavailable && refusal.ponosCode == "circuit_open")
        try await wait(until: "the probe to be let through") {
          do { return try await daemon.answer(to: "echo probe") == "probe" } catch let error as RPCError {
            #expect(error.ponosCode == "circuit_open")
            return false
          }
        }
        #expect(try await readiness(daemon).status == 200)
      }
    }

    @Test("a performer that the host is too small for is not started, and its tasks are refused for good; others are served")
    func performerThatHostIsTooSmallForIsNotStarted() async throws {
      var large = DaemonConfiguration.AVS.scripted()
      large.resources = ["memory": "15Ti"]
      var configuration = DaemonConfiguration(.scripted(), large)
      configuration.isNeverReady = true
      try await Daemon.running(configuration) { daemon in
        let submission = try daemon.submission("echo x", avs: large.address)
        let refusal = try await wait(for: "the refusal that says why") { () -> RPCError? in
          let refusal = try await daemon.refusal(of: submission)
          return refusal.ponosCode == "performer_unavailable" ? nil : refusal
        }
        #expect(refusal.ponosCode == "insufficient_resources" && refusal.code == .failedPrecondition)
        #expect(!StockRetryPolicy.repeats(refusal))
        let page = try await readiness(daemon)
        #expect(page.status == 200, "the neighbour is served")
        #expect(try await daemon.operations.get("/readyz?strict").status == 503)
        #expect(page.body.contains("insufficient_resources") && page.body.contains("lower it"), "\(page.body)")
        #expect(try await daemon.answer(to: "echo neighbour") == "neighbour")
      }
    }
  }
}
