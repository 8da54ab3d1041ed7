import GRPCCore
import PonosPerformer
import Testing

@Suite struct ShutdownTests {
  @Test func runningTasksFinishAndNewOnesAreRefused() async throws {
    let gate = Gate()
    let server = try PerformerServer(settings: .test) { _ in
      try await gate.pass()
      return Array("finished".utf8)
    }
    try await RunningPerformer.with(server) { running async throws in
      async let answer = running.answer("")
      #expect(try await eventually { gate.waiting == 1 })
      server.stop()
      #expect(try await eventually { server.health.status == .notServing })
      gate.open()
      #expect(try await answer == "finished")
    }
  }

  // The gate stays shut: only being cut off ends the task.
  @Test(.timeLimit(.minutes(2))) func tasksThatOutlastTheDrainTimeoutAreCutOff() async throws {
    var settings = PerformerSettings.test
    settings.drainTimeout = .milliseconds(100)
    let gate = Gate()
    let server = try PerformerServer(settings: settings) { _ in
      try await gate.pass()
      return []
    }
    try await RunningPerformer.with(server) { running async throws in
      async let answer = status { try await running.answer("") }
      #expect(try await eventually { gate.waiting == 1 })
      server.stop()
      #expect(try await answer != nil)
    }
  }

  @Test func servingOnAPortInUseFails() async throws {
    let first = try PerformerServer(settings: .test) { _ in [] }
    try await RunningPerformer.with(first) { running async throws in
      var settings = PerformerSettings.test
      settings.port = try await first.boundPort()
      let second = try PerformerServer(settings: settings) { _ in [] }
      await #expect(throws: (any Error).self) { try await second.serve() }
    }
  }
}
