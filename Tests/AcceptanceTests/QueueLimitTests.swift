import GRPCCore
import PonosAggregator
import PonosCore
import PonosExecutorTesting
import PonosTesting
import Testing

extension Acceptance {
  @Suite("A full queue and a full disk")
  struct QueueLimitTests {
    @Test("beyond its queue an AVS is refused, to be sent again; what was accepted is answered, and other AVSs do not notice")
    func beyondItsQueueAVSIsRefused() async throws {
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
          #expect(StockRetryPolicy.repeats(error))
          #expect(try await daemon.answer(to: "echo other", avs: daemon.configuration.avs[1].address) == "other")
          var answers: Set<String> = []
          for try await answer in group { answers.insert(answer) }
          #expect(answers == ["0", "1", "2"])
          #expect(try await daemon.answer(to: late) == "late")
        }
      }
    }

    @Test("tasks run by the priority their callers state; under dropLowestPriority the least of them makes room and is answered")
    func tasksRunByPriorityTheirCallersState() async throws {
      var avs = DaemonConfiguration.AVS.scripted()
      avs.concurrency = 1
      var configuration = DaemonConfiguration(avs)
      (configuration.maxPerAVS, configuration.overflow) = (2, "dropLowestPriority")
      try await Daemon.running(configuration) { daemon in
        func accepted(_ count: Double) async throws {
          try await wait(until: "\(count) tasks to be accepted") {
            try await daemon.operations.metric("ponos_tasks_accepted_total", labels: ["\(daemon.avs)"]) == count
          }
        }
        let low = try daemon.submission("echo low")
        try await withThrowingTaskGroup(of: String.self) { group in
          let running = try daemon.submission("delay 4000 running")
          group.addTask { try await daemon.answer(to: running) }
          try await wait(until: "the first task to run") {
            try await daemon.operations.state().recentTasks.contains { $0.phase == "executing" }
          }
          group.addTask { try await daemon.refusal(of: low).ponosCode ?? "no code" }
          try await accepted(2)
          let middle = try daemon.submission("delay 500 middle")
          group.addTask { try await daemon.answer(to: middle, metadata: ["ponos-priority": "1"]) }
          try await accepted(3)
          let high = try daemon.submission("delay 500 high")
          group.addTask { try await daemon.answer(to: high, metadata: ["ponos-priority": "2"]) }
          var answers: [String] = []
          for try await answer in group { answers.append(answer) }
          #expect(answers == ["task_displaced", "running", "high", "middle"])
        }
        let again = try await daemon.refusal(of: low)
        #expect(again.ponosCode == "task_displaced")
        #expect(!StockRetryPolicy.repeats(again))
        let displaced = try await daemon.operations.metric(
          "ponos_queue_overflow_total", labels: ["policy=\"dropLowestPriority\"", "reason=\"avs_tasks\""])
        #expect(displaced == 1)
      }
    }

    @Test("an aggregator beyond its rate is told when to come again, others are served, and unreadable urgency is refused")
    func aggregatorBeyondItsRateIsToldWhenToComeAgain() async throws {
      var avs = DaemonConfiguration.AVS.scripted()
      avs.aggregatorRateLimit = (perSecond: 0.5, burst: 2)
      try await Daemon.running(DaemonConfiguration(avs)) { daemon in
        let unreadable = try await daemon.refusal(of: try daemon.submission("echo"), metadata: ["ponos-priority": "high"])
        #expect(unreadable.code == .invalidArgument && unreadable.ponosCode == "malformed_submission")
        let late = try await daemon.refusal(
          of: try daemon.submission("echo", by: .registered(.bn254)), metadata: ["ponos-deadline": "1000"])
        #expect(late.code == .failedPrecondition && late.ponosCode == "deadline_passed")
        for number in 1...2 { #expect(try await daemon.answer(to: "echo \(number)") == "\(number)") }
        let hasty = try daemon.submission("echo 3")
        let error = try await daemon.refusal(of: hasty)
        #expect(error.code == .resourceExhausted && error.ponosCode == "aggregator_rate_limited")
        #expect(error.metadata[binaryValues: "grpc-status-details-bin"].contains { _ in true })
        #expect(try await daemon.answer(to: try daemon.submission("echo other", by: .registered(.bn254))) == "other")
        let (result, attempts) = try await StockRetryPolicy().run { try await daemon.submit(hasty, options: $0) }
        try daemon.check(result, for: hasty)
        #expect(attempts > 1)
      }
    }

    @Test("what cannot be written down is not accepted and readiness says why; when there is room again, all goes on by itself")
    func whatCannotBeWrittenDownIsNotAcceptedAndReadiness() async throws {
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
        let child = try #require(daemon.child)
        #expect(child.isRunning)
        try await wait(until: "readiness to say why") {
          let page = try await daemon.operations.get("/readyz")
          return page.status == 503 && page.body.contains("store_write_failed") && page.body.contains("disk")
        }
        try await Command.run("prlimit", "--pid", "\(child.id)", "--fsize=unlimited:")
        try await wait(until: "the daemon to be ready again") { await daemon.operations.isReady() }
        #expect(try await daemon.answer(to: "echo room") == "room")
      }
    }
  }
}
