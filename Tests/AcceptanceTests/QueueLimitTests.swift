import GRPCCore
import PonosTesting
import Testing

extension Acceptance {
  @Suite("A full queue and a full disk")
  struct QueueLimitTests {
    @Test("beyond its queue an AVS is refused, to be sent again; what was accepted is answered, and other AVSs do not notice")
    func queueFull() async throws {
      var busy = DaemonConfiguration.AVS.scripted()
      busy.concurrency = 1
      var configuration = DaemonConfiguration(busy, .scripted())
      configuration.maxPerAVS = 2
      try await Daemon.running(configuration) { daemon in
        let submissions = try (0..<3).map { try daemon.submission("delay 3000 \($0)") }
        try await withThrowingTaskGroup(of: String.self) { group in
          group.addTask { try await daemon.answer(to: submissions[0]) }
          try await wait(until: "the first task to run") {
            try await daemon.operations.state().recentTasks.contains { $0.phase == "executing" }
          }
          for submission in submissions.dropFirst() { group.addTask { try await daemon.answer(to: submission) } }
          // One with the performer, two waiting.
          try await wait(until: "three tasks to be accepted") {
            try await daemon.operations.metric("ponos_tasks_accepted_total", labels: ["\(daemon.avs)"]) == 3
          }
          let late = try daemon.submission("echo late")
          let error = try await daemon.refusal(of: late)
          #expect(error.ponosCode == "queue_full")
          #expect(error.code == .resourceExhausted)
          #expect(StockRetries.repeats(error))
          #expect(try await daemon.answer(to: "echo other", avs: daemon.configuration.avs[1].address) == "other")
          var answers: Set<String> = []
          for try await answer in group { answers.insert(answer) }
          #expect(answers == ["0", "1", "2"])
          #expect(try await daemon.answer(to: late) == "late")
        }
      }
    }

    @Test("what cannot be written down is not accepted, and the daemon goes on")
    func diskFull() async throws {
      var configuration = DaemonConfiguration(.scripted())
      configuration.fileSizeLimit = 1024
      try await Daemon.running(configuration) { daemon in
        let bulk = String(repeating: "x", count: 100_000)
        let error = try await wait(for: "the disk to be full", within: .seconds(60)) { () -> RPCError? in
          do {
            _ = try await daemon.answer(to: "echo \(bulk)")
            return nil
          } catch let error as RPCError { return error }
        }
        // Whichever write met the full disk first.
        switch error.ponosCode {
        case "store_unavailable": #expect(error.message.contains("nothing was accepted"))
        case "outcome_not_written": #expect(error.message.contains("send it again"))
        default: Issue.record("\(error)")
        }
        #expect(error.code == .unavailable)
        #expect(try await daemon.operations.get("/healthz").status == 200)
        #expect(daemon.child?.isRunning == true)
      }
    }
  }
}
