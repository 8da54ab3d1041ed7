import PonosAggregator
import PonosContainersTesting
import PonosCore
import PonosExecutorTesting
import PonosStore
import PonosStoreTesting
import PonosTelemetry
import PonosTesting
import Testing

@testable import PonosExecutor

@Suite("Result outbox")
struct ResultOutboxTests {
  typealias Rig = PipelineRig

  @Test("a result is told only once it is written down, however long that takes; the performer is not asked again")
  func resultIsToldOnlyOnceItIsWrittenDown() async throws {
    let store = FaultyStore()
    let performer = FakePerformer.echo()
    try await Rig(store: store).run { rig in
      rig.publish(performer)
      store.fail([.signed])
      let submission = try Rig.submission()
      let told = Collected<TaskOutcome?>()
      let caller = Task { told.append(await rig.unary.submit(submission)) }
      try await eventually { store.failures(of: .signed) >= 3 }
      await caller.value
      #expect(told.values.first??.isInterrupted == true, "the result left before it was durable")
      #expect(rig.inFlight.count == 1)
      store.fail([])
      let result = try #require(await rig.unary.submit(submission)?.signed)
      try Rig.check(result, for: submission)
      let stored = try #require(try await rig.store.task(submission.id))
      #expect(SignedResult(stored: stored) == result)
      #expect(performer.calls.count == 1)
    }
  }

  @Test("a result that could not be written down before the daemon stopped is left to the next start, and not told")
  func resultThatCouldNotBeWrittenDownBeforeDaemon() async throws {
    let store = FaultyStore()
    let submission = try Rig.submission()
    let told = Collected<TaskOutcome?>()
    try await Rig(store: store).run { rig in
      rig.publish(.echo())
      store.fail([.signed])
      Task { told.append(await rig.unary.submit(submission)) }
      try await eventually { store.failures(of: .signed) >= 1 }
    }
    try await eventually { told.values.count == 1 }
    #expect(told.values.first??.isInterrupted == true)
    #expect(try await store.task(submission.id)?.phase == .executing)
    #expect(try await store.signedDigest(of: submission.id) == nil)
  }

  @Test("a stored result reads back as it was, and only under its own id")
  func storedResultReadsBackAsItWas() async throws {
    try await Rig().run { rig in
      rig.publish(.echo())
      let submission = try Rig.submission()
      let result = try #require(await rig.unary.submit(submission)?.signed)
      var record = try #require(try await rig.store.task(submission.id))
      #expect(SignedResult(stored: record) == result)
      record.accepted.id = .random()
      #expect(SignedResult(stored: record) == nil)
      record.result = nil
      #expect(SignedResult(stored: record) == nil)
    }
  }

  @Test("times of tasks are measured on the clock that nobody sets")
  func timesOfTasksAreMeasuredOnClockThatNobodySets() async throws {
    let clock = TestClock()
    let gate = TaskGate()
    try await Rig(clock: clock).run { rig in
      rig.publish(.behind(gate), capacity: 1)
      async let first = rig.unary.submit(try Rig.submission(Rig.draft("first")))
      try await eventually { gate.arrivals == 1 }
      async let second = rig.unary.submit(try Rig.submission(Rig.draft("second")))
      try await eventually { rig.queue.depths[Rig.avs] == 1 }
      clock.advance(by: .seconds(2))
      clock.setWallClock(by: .seconds(-3600))
      gate.open()
      #expect(try await first?.signed != nil)
      #expect(try await second?.signed != nil)
      let text = rig.registry.text()
      // The first did not wait, the second did; both were answered after two seconds.
      for line in [
        "ponos_queue_wait_seconds_sum{avs=\"\(Rig.avs)\"} 2", "ponos_task_answer_seconds_sum{avs=\"\(Rig.avs)\"} 4",
      ] { #expect(text.contains(line), "\(line)") }
    }
  }
}
