import Foundation
import GRPCCore
import PonosAPI
import PonosAggregator
import PonosCore
import PonosDocker
import PonosExecutorTesting
import PonosTesting
import Testing

extension Acceptance {
  @Suite("Crashes")
  struct CrashTests {
    @Test("a daemon killed in mid-task: the client's retry gets one signed result, from the container that was there")
    func daemonKilledInMidTask() async throws {
      try await Daemon.running(DaemonConfiguration(.scripted())) { daemon in
        let done = try daemon.submission("echo done before")
        let doneBytes = try await daemon.submit(done).bytes
        let container = try await daemon.containers.theOnlyOne().id

        let interrupted = try daemon.submission("delay 3000 survived", set: .bn254)
        let client = Task { try await StockRetryPolicy().run { try await daemon.submit(interrupted, options: $0) } }
        try await wait(until: "the task to run") {
          try await daemon.operations.state().recentTasks.contains { $0.id == interrupted.taskID && $0.phase == "executing" }
        }
        try await daemon.crash()
        try await daemon.start()
        #expect(try await daemon.containers.theOnlyOne().id == container, "the container was not adopted")

        let (result, attempts) = try await client.value
        try daemon.check(result, for: interrupted)
        #expect(String(decoding: result.output, as: UTF8.self) == "survived")
        #expect(attempts > 1)
        #expect(try await daemon.submit(interrupted).bytes == result.bytes)
        #expect(try await daemon.submit(done).bytes == doneBytes, "an answer from before the crash changed")
        #expect(try await daemon.containers.theOnlyOne().id == container)
        #expect(try await daemon.performers().map(\.containerID) == [container])
      }
    }

    @Test("a daemon killed with nobody left to ask: the accepted task is run all the same")
    func daemonKilledWithNobodyLeftToAsk() async throws {
      try await Daemon.running(DaemonConfiguration(.scripted())) { daemon in
        let submission = try daemon.submission("delay 1500 kept promise")
        _ = try await daemon.refusal(of: submission, options: .within(.milliseconds(500)))
        try await daemon.crash()
        try await daemon.start()
        try await wait(until: "the task to be signed") {
          try await daemon.operations.state().recentTasks.contains { $0.id == submission.taskID && $0.phase == "signed" }
        }
        #expect(try await daemon.answer(to: submission) == "kept promise")
      }
    }

    @Test("a daemon killed twice in the same task still answers it once")
    func daemonKilledTwiceInTheSameTaskStillAnswersItOnce() async throws {
      try await Daemon.running(DaemonConfiguration(.scripted())) { daemon in
        let submission = try daemon.submission("delay 2000 third time")
        let client = Task { try await StockRetryPolicy().run { try await daemon.submit(submission, options: $0) } }
        for run in 1...2 {
          try await wait(until: "run \(run) to begin") {
            try await daemon.operations.state().recentTasks.contains {
              // A crash may forget that a run began, so the attempt says nothing about which run it is.
              $0.id == submission.taskID && $0.phase == "executing"
            }
          }
          try await daemon.crash()
          try await daemon.start()
        }
        let (result, _) = try await client.value
        try daemon.check(result, for: submission)
        #expect(try await daemon.submit(submission).bytes == result.bytes)
      }
    }

    @Test("a container killed, gone wrong, or removed behind our back: the AVS is served again without help")
    func containerKilledGoneWrong() async throws {
      var avs = DaemonConfiguration.AVS.scripted()
      avs.taskTimeout = "3s"
      try await Daemon.running(DaemonConfiguration(avs)) { daemon in
        for blow in ["kill", "exit", "remove"] {
          let container = try await daemon.containers.theOnlyOne().id
          switch blow {
          case "kill": try await daemon.containers.kill(container)
          // Run again in the new container until its time is over.
          case "exit": #expect(try await daemon.refusal(of: try daemon.submission("exit 7")).ponosCode == "performer_unreachable")
          default: try await Command.run("docker", "rm", "--force", container)
          }
          try await wait(until: "another container to serve after \(blow)", within: .seconds(30)) {
            let running = try await daemon.containers.running().map(\.id)
            guard running.count == 1, running != [container] else { return false }
            return try await daemon.serves(daemon.avs)
          }
          #expect(try await daemon.answer(to: "echo back after \(blow)") == "back after \(blow)")
        }
        let restarts = try await daemon.operations.state().performers.map(\.restarts)
        #expect(restarts.reduce(0, +) >= 3)
      }
    }

    @Test("a task that ends its performer every time fails for good; tasks beside it are answered")
    func taskThatEndsItsPerformerEveryTimeFailsForGood() async throws {
      try await Daemon.running(DaemonConfiguration(.scripted())) { daemon in
        async let neighbours = withThrowingTaskGroup(of: String.self) { group in
          for number in 0..<4 { group.addTask { try await daemon.answer(to: "delay 300 \(number)") } }
          return try await group.reduce(into: []) { $0.append($1) }.sorted()
        }
        let poison = try daemon.submission("exit 7")
        #expect(try await daemon.refusal(of: poison).ponosCode == "performer_crashed")
        #expect(try await neighbours == ["0", "1", "2", "3"])
        #expect(try await daemon.refusal(of: poison).ponosCode == "performer_crashed")
        #expect(try await daemon.operations.state().recentTasks.first { $0.id == poison.taskID }?.attempt ?? 0 >= 3)
      }
    }

    @Test("a performer killed in mid-task: the task is run again within its time, and the client does not notice")
    func containerKilledInTask() async throws {
      try await Daemon.running(DaemonConfiguration(.scripted())) { daemon in
        let container = try await daemon.containers.theOnlyOne().id
        async let answer = daemon.answer(to: "delay 2000 in the end")
        try await wait(until: "the task to run") {
          try await daemon.operations.state().recentTasks.contains { $0.phase == "executing" }
        }
        try await daemon.containers.kill(container)
        #expect(try await answer == "in the end")
      }
    }

    @Test("a performer that says it does not serve is replaced")
    func performerThatSaysItDoesNotServeIsReplaced() async throws {
      try await Daemon.running(DaemonConfiguration(.scripted())) { daemon in
        let container = try await daemon.containers.theOnlyOne().id
        _ = try await daemon.answer(to: "not-serving")
        // Three probes, 15 seconds apart.
        try await wait(until: "another container to serve", within: .seconds(90)) {
          let running = try await daemon.containers.running().map(\.id)
          guard running.count == 1, running != [container] else { return false }
          return try await daemon.serves(daemon.avs)
        }
        #expect(try await daemon.answer(to: "echo well again") == "well again")
      }
    }
  }

  @Suite("Stopping and starting")
  struct ShutdownTests {
    @Test("on SIGTERM what runs is answered, what is new is sent away, and the daemon ends with status 0")
    func onSIGTERMWhatRunsIsAnswered() async throws {
      try await Daemon.running(DaemonConfiguration(.scripted())) { daemon in
        let container = try await daemon.containers.theOnlyOne().id
        async let running = daemon.answer(to: "delay 4000 finished")
        try await wait(until: "the task to run") {
          try await daemon.operations.state().recentTasks.contains { $0.phase == "executing" }
        }
        daemon.child?.signal(15)
        let late = try daemon.submission("echo late")
        let error = try await wait(for: "new tasks to be refused", within: .seconds(2)) { () -> RPCError? in
          do {
            _ = try await daemon.submit(try daemon.submission("echo not yet late"))
            return nil
          } catch let error as RPCError { return error }
        }
        #expect(error.code == .unavailable)
        #expect(error.ponosCode == "not_accepting")
        #expect(StockRetryPolicy.repeats(error))
        let readiness = try await daemon.operations.get("/readyz")
        #expect(readiness.status == 503 && readiness.body.contains("the executor is stopping"), "\(readiness.body)")
        let health = try await daemon.withClient(port: daemon.place.taskPort) { client in
          try await HealthClient(wrapping: client).check(.init(), options: .within(.seconds(10))).status
        }
        #expect(health == .notServing)
        #expect(try await running == "finished")
        #expect(try await daemon.child?.ended(within: .seconds(30)) == 0)
        try await daemon.start()
        #expect(try await daemon.answer(to: late) == "late")
        #expect(try await daemon.containers.theOnlyOne().id == container)
      }
    }

    @Test("a client that watches the health service does not hold up the end")
    func clientThatWatchesHealthServiceDoesNotHoldUpEnd() async throws {
      try await Daemon.running(DaemonConfiguration(.scripted())) { daemon in
        let seen = Collected<HealthStatus>()
        let watcher = Task {
          try await daemon.withClient(port: daemon.place.taskPort) { client in
            try await HealthClient(wrapping: client).watch(.init()) { response in
              for try await message in response.messages { seen.append(message.status) }
            }
          }
        }
        try await wait(until: "the watcher to be told") { seen.values == [.serving] }
        let start = ContinuousClock.now
        #expect(try await daemon.stop() == 0)
        #expect(ContinuousClock.now - start < .seconds(10))
        watcher.cancel()
        _ = await watcher.result
      }
    }

    @Test("a daemon on memory alone works, and forgets")
    func daemonOnMemoryAloneWorks() async throws {
      var configuration = DaemonConfiguration(.scripted())
      configuration.storesInMemory = true
      try await Daemon.running(configuration) { daemon in
        let answer = try await daemon.answer(to: "echo here")
        #expect(answer == "here")
        let status = try await daemon.stop()
        #expect(status == 0)
      }
    }

    @Test("one failing performer keeps neither the daemon nor the others from working, and readiness names it")
    func oneFailingPerformerKeepsNeitherDaemonNorOthers() async throws {
      var configuration = DaemonConfiguration(.scripted(), .init(image: "ponos-test/does-not-exist:1"))
      configuration.isNeverReady = true
      try await Daemon.running(configuration) { daemon in
        #expect(try await daemon.answer(to: "echo fine") == "fine")
        let page = try await daemon.operations.get("/readyz")
        #expect(page.status == 200, "what is served is served")
        #expect(try await daemon.operations.get("/readyz?strict").status == 503)
        #expect(page.body.contains(configuration.avs[1].address.description))
        #expect(!page.body.contains(configuration.avs[0].address.description))
      }
    }

    @Test("two daemons on one database do not both run")
    func twoDaemonsOnOneDatabaseDoNotBothRun() async throws {
      try await Daemon.running(DaemonConfiguration(.scripted())) { daemon in
        let output = try await failingStart(["run", "--config", daemon.place.configurationFile.path])
        #expect(output.contains("store_locked") || output.contains("another"), "\(output)")
        #expect(try await daemon.answer(to: "echo undisturbed") == "undisturbed")
      }
    }

    @Test("a configuration with mistakes is refused, all of them at once, by key and line")
    func configurationWithMistakesIsRefused() async throws {
      let daemon = try Daemon(DaemonConfiguration(.scripted()))
      var text = try String(contentsOf: daemon.place.configurationFile, encoding: .utf8)
      text = text.replacing("chainId: 31337", with: "chainId: 5").replacing("curve: bn254}]", with: "curve: ed25519}]")
      try text.write(to: daemon.place.configurationFile, atomically: true, encoding: .utf8)
      let output = try await failingStart(["run", "--config", daemon.place.configurationFile.path])
      #expect(output.contains("chainId") && output.contains("curve"), "\(output)")
      #expect(output.contains("line") || output.contains("executor.yaml:"), "\(output)")
      try await daemon.remove()
    }

    /// What the daemon prints when it refuses to start.
    private func failingStart(_ arguments: [String]) async throws -> String {
      do {
        let output = try await Command.run([try Daemon.executable().path] + arguments, within: .seconds(30))
        throw DidNotHappen(description: "the daemon should have refused to start; it printed: \(output)")
      } catch let failure as Command.Failure {
        #expect(failure.status > 0, "it should end by itself, not by a signal")
        return failure.output
      }
    }
  }
}
