import Foundation
import PonosAggregator
import PonosCore
import PonosCrypto
import PonosExecutorTesting
import PonosTesting
import Testing

extension Acceptance {
  @Suite("Task streams")
  struct TaskStreamTests {
    @Test("carry tasks and verified results, dialled by the aggregator, on both curves")
    func carryTasksAndVerifiedResults() async throws {
      try await Daemon.running(DaemonConfiguration(.scripted())) { daemon in
        for curve in SignatureCurve.allCases {
          let aggregator = daemon.streamAggregator(.registered(curve), set: curve)
          try await aggregator.dialling(port: daemon.place.taskPort) {
            try await withThrowingTaskGroup(of: Void.self) { group in
              for number in 0..<40 {
                group.addTask {
                  let answer = try await daemon.answer(to: "echo \(number)", by: aggregator, set: curve)
                  #expect(answer == "\(number)")
                }
              }
              try await group.waitForAll()
            }
          }
          #expect(aggregator.sessions == 1 && aggregator.receipts.count == 40 && aggregator.refusals == [])
        }
        #expect(try await daemon.operations.metric("ponos_stream_outcomes_acknowledged_total") == 80)
      }
    }

    @Test("carry tasks and verified results, dialled by the executor, which comes back when the connection is lost")
    func carryTasksAndVerifiedResultsDialledByExecutor() async throws {
      var configuration = DaemonConfiguration(.scripted())
      configuration.aggregatorPorts = try FreePorts.find(1)
      let port = configuration.aggregatorPorts[0]
      try await Daemon.running(configuration) { daemon in
        let aggregator = daemon.streamAggregator()
        try await aggregator.hosting(port: port) { _ in
          for session in 1...3 {
            let answer = try await daemon.answer(to: "echo session \(session)", by: aggregator)
            #expect(answer == "session \(session)")
            #expect(aggregator.sessions == session)
            aggregator.disconnect()
          }
        }
      }
    }

    @Test("a connection cut in mid-task: executed once, and its result delivered once acknowledged")
    func connectionCutInMidTask() async throws {
      try await Daemon.running(DaemonConfiguration(.scripted())) { daemon in
        let aggregator = daemon.streamAggregator()
        try await aggregator.dialling(port: daemon.place.taskPort) {
          async let answer = daemon.answer(to: "delay 2500 in the end", by: aggregator)
          try await wait(until: "the receipt") { aggregator.receipts.count == 1 }
          aggregator.disconnect()
          #expect(try await answer == "in the end")
          #expect(aggregator.sessions == 2 && aggregator.outcomes.count == 1)
          // One for the task and one for this question.
          #expect(try await daemon.answer(to: "count", by: aggregator) == "2")
        }
        let last = daemon.streamAggregator()
        try await last.dialling(port: daemon.place.taskPort) {
          let answer = try await daemon.answer(to: "echo last", by: last)
          #expect(answer == "last")
        }
        #expect(last.outcomes.count == 1, "an acknowledged outcome came again")
      }
    }

    @Test(
      "a daemon killed with unacknowledged results delivers them after its restart, the same bytes, and runs on what was open")
    func daemonKilledWithUnacknowledgedResultsDelivers() async throws {
      var configuration = DaemonConfiguration(.scripted())
      configuration.aggregatorPorts = try FreePorts.find(1)
      let port = configuration.aggregatorPorts[0]
      try await Daemon.running(configuration) { daemon in
        var settings = StreamAggregator.Settings()
        settings.acknowledges = false
        let forgetful = daemon.streamAggregator(settings: settings)
        let open = daemon.draft("delay 3000 open")
        try await forgetful.hosting(port: port) { _ in
          #expect(try await daemon.answer(to: "echo done", by: forgetful) == "done")
          let waiting = Task { try await forgetful.submit(open) }
          try await wait(until: "both receipts") { forgetful.receipts.count == 2 }
          try await daemon.crash()
          waiting.cancel()
        }
        try await daemon.start()
        let careful = daemon.streamAggregator()
        try await careful.hosting(port: port) { _ in
          try await wait(until: "both outcomes") { careful.outcomes.count == 2 }
          #expect(careful.outcomes.first == forgetful.outcomes.first, "another answer than before the crash")
          #expect(careful.outcomes.last?.id == open.id)
          try daemon.check(try #require(careful.outcomes.last?.result), for: try careful.aggregator.sign(open))
        }
        let last = daemon.streamAggregator()
        try await last.hosting(port: port) { _ in
          let answer = try await daemon.answer(to: "echo last", by: last)
          #expect(answer == "last")
        }
        #expect(last.outcomes.count == 1, "an acknowledged outcome came again")
      }
    }

    @Test("credit ends with the queue's places, and comes back with them: nothing is refused")
    func creditEndsWithQueuesPlaces() async throws {
      var avs = DaemonConfiguration.AVS.scripted()
      avs.concurrency = 1
      var configuration = DaemonConfiguration(avs)
      configuration.maxPerAVS = 2
      try await Daemon.running(configuration) { daemon in
        let aggregator = daemon.streamAggregator()
        try await aggregator.dialling(port: daemon.place.taskPort) {
          try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<8 {
              group.addTask {
                let answer = try await daemon.answer(to: "delay 300 \(number)", by: aggregator)
                #expect(answer == "\(number)")
              }
            }
            try await group.waitForAll()
          }
        }
        #expect(aggregator.refusals == [])
        #expect(try await daemon.operations.metric("ponos_tasks_refused_total") == 0)
      }
    }

    @Test("an aggregator with the wrong key is refused in its hello, whoever dials")
    func aggregatorWithWrongKeyIsRefusedInItsHello() async throws {
      var configuration = DaemonConfiguration(.scripted())
      configuration.aggregatorPorts = try FreePorts.find(1)
      let port = configuration.aggregatorPorts[0]
      try await Daemon.running(configuration) { daemon in
        let impostor = TestAggregator(address: TestAggregator.registered(.ecdsa).address, key: TestKeys.stranger(.ecdsa))
        let dialling = daemon.streamAggregator(impostor)
        guard case .peerLeft(let goodbye) = await dialling.dialOnce(port: daemon.place.taskPort)
        else { throw DidNotHappen(description: "no goodbye came") }
        #expect(goodbye.code == "bad_proof")
        let hosting = daemon.streamAggregator(impostor)
        try await hosting.hosting(port: port) { _ in
          try await wait(until: "the executor to be told") { !hosting.ends.isEmpty }
        }
        #expect(dialling.sessions == 0 && hosting.sessions == 0)
        #expect(try await daemon.operations.metric("ponos_stream_sessions_ended_total", labels: ["bad_proof"]) >= 2)
      }
    }

    @Test("the command line submits over a stream it dials, and over one it is dialled for")
    func commandLineSubmitsOverStreamItDials() async throws {
      var configuration = DaemonConfiguration(.scripted())
      configuration.aggregatorPorts = try FreePorts.find(1)
      let port = configuration.aggregatorPorts[0]
      try await Daemon.running(configuration) { daemon in
        for route in ["--stream", "--listen=127.0.0.1:\(port)"] {
          let submit = try daemon.taskSubmit("--payload", "echo x", "--count", "50", "--concurrency", "16", route)
          #expect(try await submit.ended(within: .seconds(60)) == 0, "\(submit.output)")
          #expect(submit.output.contains("\"verified\" : 50"), "\(submit.output)")
        }
        #expect(try await daemon.operations.metric("ponos_stream_outcomes_acknowledged_total") == 100)
      }
    }

    @Test("an aggregator that is frozen is noticed within two of its heartbeats, and its result waits for it")
    func aggregatorThatIsFrozenIsNoticedWithinTwo() async throws {
      try await Daemon.running(DaemonConfiguration(.scripted())) { daemon in
        let submit = try daemon.taskSubmit("--payload", "delay 3000 late", "--stream")
        try await wait(until: "the task to run") {
          try await daemon.operations.state().recentTasks.contains { $0.phase == "executing" }
        }
        submit.signal(SIGSTOP)
        let start = ContinuousClock.now
        try await wait(until: "the silence to be noticed", within: .seconds(23)) {
          try await daemon.operations.metric("ponos_stream_sessions_ended_total", labels: ["peer_silent"]) == 1
        }
        // Its heartbeat is ten seconds.
        #expect(ContinuousClock.now - start > .seconds(8))
        submit.signal(SIGCONT)
        #expect(try await submit.ended(within: .seconds(60)) == 0, "\(submit.output)")
        #expect(submit.output.contains("\"verified\" : 1"), "\(submit.output)")
      }
    }
  }
}
