import PonosContainersTesting
import PonosCore
@testable import PonosExecutor
import PonosStore
import PonosStoreTesting
import PonosTelemetry
import PonosTesting
import Synchronization
import Testing
@testable import PonosConfiguration
@testable import PonosContainers

@Suite("Run recovery")
struct RunRecoveryTests {
  typealias Rig = PipelineRig

  @Test("an unreachable performer is tried again until it answers, each run in the journal")
  func triesAgain() async throws {
    let performer = FakePerformer { id, payload, call throws(PerformerCallError) in
      if call < 9 { throw .unreachable("broke off") }
      return .echo(id, payload)
    }
    try await Rig().run { rig in
      rig.publish(performer)
      let submission = try Rig.submission()
      let result = try #require(await rig.unary.submit(submission)?.signed)
      try Rig.check(result, for: submission)
      #expect(performer.calls == Array(repeating: submission.id, count: 9))
      #expect(try await rig.store.task(submission.id)?.attempt == 9)
    }
  }

  @Test("a task that loses three containers, the last of them alone, has failed; others are answered by the fourth")
  func poison() async throws {
    let (poison, neighbour) = (try Rig.submission(Rig.draft("poison")), try Rig.submission())
    let crashes = Mutex(0)
    /// A container that ends with the poisoned task and is replaced at once.
    @Sendable func publishContainer(_ rig: Rig) {
      let container = FakePerformer { id, payload, _ throws(PerformerCallError) in
        guard id == poison.id else { return .echo(id, payload) }
        crashes.withLock { $0 += 1 }
        publishContainer(rig)
        throw .unreachable("reset")
      }
      rig.publish(container, capacity: 4)
    }
    try await Rig().run { rig in
      publishContainer(rig)
      #expect(await rig.unary.submit(poison)?.failure?.code == "performer_crashed")
      #expect(crashes.withLock(\.self) == 3)
      #expect(await rig.unary.submit(poison)?.failure?.code == "performer_crashed", "a retry gets the same answer")
      try Rig.check(try #require(await rig.unary.submit(neighbour)?.signed), for: neighbour)
      #expect(crashes.withLock(\.self) == 3)
    }
  }

  @Test(
    "a definite answer is not asked for again",
    arguments: [
      (PerformerCallError.answeredError(code: 13, message: "broken"), "performer_error"), (.timedOut, "task_timed_out"),
      (.replyTooLarge, "output_too_large"),
    ])
  func definite(error: PerformerCallError, code: String) async throws {
    let performer = FakePerformer { _, _, _ throws(PerformerCallError) in throw error }
    try await Rig().run { rig in
      rig.publish(performer)
      let submission = try Rig.submission()
      #expect(await rig.unary.submit(submission)?.failure?.code == code)
      #expect(performer.calls.count == 1)
      let record = try #require(try await rig.store.task(submission.id))
      #expect(record.phase == .failed && record.failure?.code == code)
    }
  }

  @Test("a performer that asks to be asked again is, and only then")
  func asksAgain() async throws {
    let performer = FakePerformer { id, payload, call throws(PerformerCallError) in
      if call == 1 { throw .answeredBusy("all slots taken", retryAfter: .milliseconds(20)) }
      if call == 2 { throw .answeredBusy("all slots taken", retryAfter: payload == Array("long".utf8) ? .seconds(600) : nil) }
      return .echo(id, payload)
    }
    try await Rig().run { rig in
      rig.publish(performer)
      let submission = try Rig.submission()
      try Rig.check(try #require(await rig.unary.submit(submission)?.signed), for: submission)
      #expect(performer.calls.count == 3)
      // Longer than the task has: no use waiting for that.
      let failure = try #require(await rig.unary.submit(try Rig.submission(Rig.draft("long")))?.failure)
      #expect(failure.code == "performer_busy" && failure.message.contains("all slots taken"))
      #expect(performer.calls.count == 5)
    }
  }

  @Test("a task is taken back between two of its runs at once, by its aggregator alone, and no performer gets it again")
  func cancelledInPause() async throws {
    let performer = FakePerformer { _, _, _ throws(PerformerCallError) in
      throw .answeredBusy("come back later", retryAfter: .seconds(80))
    }
    try await Rig(limits: QueueConfig(maxPerAVS: 5, maxTotal: 5)).run { rig in
      rig.publish(performer)
      let submission = try Rig.submission()
      let owner = TaskOwner(aggregator: submission.aggregator, avs: Rig.avs)
      let caller = Task { await rig.unary.submit(submission) }
      try await eventually { rig.registry.text().contains("ponos_task_retries_total{avs=\"\(Rig.avs)\"} 1") }
      let start = ContinuousClock.now
      let stranger = TaskOwner(aggregator: StoreRecords.address(5), avs: Rig.avs)
      #expect(await rig.canceller.cancel(submission.id, for: stranger) == .unknown)
      #expect(await rig.canceller.cancel(submission.id, for: owner) == .cancelled)
      #expect(ContinuousClock.now - start < .seconds(20))
      #expect(await caller.value?.failure?.code == "task_cancelled")
      #expect(try await rig.store.task(submission.id)?.failure?.code == "task_cancelled")
      #expect(performer.calls.count == 1)
      #expect(rig.queue.freePlaces(avs: Rig.avs) == 5, "its place is free again")
      #expect(!rig.running.cancel(submission.id, for: owner), "nothing of it is left")
    }
  }

  @Test("a task that waits for another run is taken back as well, unless that cannot be written down")
  func cancelledInLine() async throws {
    let store = FaultyStore()
    let (first, second) = (TaskGate(), TaskGate())
    let performer = FakePerformer { id, payload, _ throws(PerformerCallError) in
      guard payload == Array("work".utf8) else {
        await second.pass()
        return .echo(id, payload)
      }
      await first.pass()
      throw .answeredBusy("come back", retryAfter: .milliseconds(1))
    }
    try await Rig(store: store).run { rig in
      rig.publish(performer, capacity: 1)
      let submission = try Rig.submission()
      let owner = TaskOwner(aggregator: submission.aggregator, avs: Rig.avs)
      let caller = Task { await rig.unary.submit(submission) }
      try await eventually { first.arrivals == 1 }
      let other = Task { await rig.unary.submit(try Rig.submission(Rig.draft("other"))) }
      try await eventually { rig.queue.depths[Rig.avs] == 1 }
      first.open()
      try await eventually { second.arrivals == 1 && rig.queue.depths[Rig.avs] == 1 }
      store.fail([.failed])
      #expect(await rig.canceller.cancel(submission.id, for: owner) == .tooLate)
      #expect(rig.queue.depths[Rig.avs] == 1, "what cannot be written down has not happened")
      store.fail([])
      #expect(await rig.canceller.cancel(submission.id, for: owner) == .cancelled)
      #expect(await caller.value?.failure?.code == "task_cancelled")
      second.open()
      #expect(try await other.value?.signed != nil)
      #expect(performer.calls.count == 2)
      #expect(!rig.running.cancel(submission.id, for: owner), "nothing of it is left")
    }
  }

  @Test("an output that does not keep the AVS's rules is not signed, and not asked for again")
  func rules() async throws {
    let performer = FakePerformer.echo()
    try await Rig(rules: ResponseRules(format: .json)).run { rig in
      rig.publish(performer)
      let fine = try Rig.submission(Rig.draft("[1]"))
      try Rig.check(try #require(await rig.unary.submit(fine)?.signed), for: fine)
      let broken = try Rig.submission(Rig.draft("[1"))
      #expect(await rig.unary.submit(broken)?.failure?.code == "output_invalid")
      #expect(performer.calls.count == 2)
      #expect(try await rig.store.task(broken.id)?.phase == .failed)
    }
  }

  @Test("an answer for another task, and an answer that is too long, are not signed")
  func uncollectable() async throws {
    let performer = FakePerformer { id, payload, _ throws(PerformerCallError) in
      payload == Array("long".utf8)
        ? .echo(id, [UInt8](repeating: 0, count: ResponseChecks.maxOutputBytes + 1))
        : PerformerReply(echoedID: [], output: payload)
    }
    try await Rig().run { rig in
      rig.publish(performer)
      for (payload, code) in [("long", "output_too_large"), ("short", "wrong_task_id")] {
        let submission = try Rig.submission(Rig.draft(payload))
        #expect(await rig.unary.submit(submission)?.failure?.code == code)
      }
    }
  }

  @Test("no run begins after the task's time, and the last failure is its answer")
  func timeIsOver() async throws {
    let clock = TestClock()
    let performer = FakePerformer { _, _, _ throws(PerformerCallError) in
      clock.advance(by: .seconds(20))
      throw .unreachable("down")
    }
    try await Rig(clock: clock, timeout: .seconds(50)).run { rig in
      rig.publish(performer)
      let submission = try Rig.submission()
      #expect(await rig.unary.submit(submission)?.failure?.code == "performer_unreachable")
      #expect(performer.calls.count == 3)
    }
  }

  @Test("a task whose time ends in the queue expires there")
  func expires() async throws {
    let clock = TestClock()
    let gate = TaskGate()
    try await Rig(clock: clock, timeout: .seconds(5)).run { rig in
      rig.publish(.behind(gate), capacity: 1)
      async let running = rig.unary.submit(try Rig.submission())
      try await eventually { gate.arrivals == 1 }
      async let waiting = rig.unary.submit(try Rig.submission())
      try await eventually { rig.queue.depths[Rig.avs] == 1 }
      clock.advance(by: .seconds(6))
      #expect(try await waiting?.failure?.code == "task_expired")
      gate.open()
      #expect(try await running?.signed != nil)
    }
  }

  @Test("a failure that cannot be written down is not told as final, and the task is not run again: it is written once it can be")
  func failureNotRecorded() async throws {
    let store = FaultyStore()
    let performer = FakePerformer { id, payload, call throws(PerformerCallError) in
      if call == 1 { throw .answeredError(code: 3, message: "no") }
      return .echo(id, payload)
    }
    try await Rig(store: store).run { rig in
      rig.publish(performer)
      store.fail([.failed])
      let submission = try Rig.submission()
      #expect(await rig.unary.submit(submission)?.isInterrupted == true)
      #expect(!rig.admission.hasWaitingCallers)
      #expect(rig.inFlight.count == 1, "somebody has to own the task until its end is written")
      store.fail([])
      try await eventually { try await store.task(submission.id)?.phase == .failed }
      #expect(await rig.unary.submit(submission)?.failure?.code == "performer_error")
      #expect(performer.calls.count == 1)
    }
  }

  @Test("a task that expires while nothing can be written down is ended once it can be")
  func expiryNotRecorded() async throws {
    let (store, clock) = (FaultyStore(), TestClock())
    try await Rig(store: store, clock: clock, timeout: .seconds(5)).run { rig in
      rig.publish(.behind(TaskGate()), capacity: 1)
      let running = Task { await rig.unary.submit(try Rig.submission()) }
      try await eventually { rig.roster.snapshot().map(\.outstanding) == [1] }
      let submission = try Rig.submission()
      let waiting = Task { await rig.unary.submit(submission) }
      try await eventually { rig.queue.depths[Rig.avs] == 1 }
      store.fail([.failed])
      clock.advance(by: .seconds(6))
      #expect(await waiting.value?.isInterrupted == true)
      store.fail([])
      // Nobody asks for it.
      try await eventually { try await store.task(submission.id)?.phase == .failed }
      #expect(await rig.unary.submit(submission)?.failure?.code == "task_expired")
      running.cancel()
    }
  }

  @Test("a run whose beginning cannot be written down goes on, and one whose return to the queue cannot is made again")
  func progressNotRecorded() async throws {
    let store = FaultyStore()
    let performer = FakePerformer { id, payload, call throws(PerformerCallError) in
      if call == 1 { throw .unreachable("broke off") }
      return .echo(id, payload)
    }
    try await Rig(store: store).run { rig in
      rig.publish(performer)
      store.fail([.executing, .requeued])
      let submission = try Rig.submission()
      try Rig.check(try #require(await rig.unary.submit(submission)?.signed), for: submission)
      #expect(store.failures(of: .executing) == 2 && store.failures(of: .requeued) == 1)
      #expect(performer.calls.count == 2)
    }
  }

  @Test("every slot is given back, whatever comes of the runs")
  func slotsComeBack() async throws {
    let performer = FakePerformer { id, payload, call throws(PerformerCallError) in
      switch payload.first {
      case UInt8(ascii: "e"): throw .answeredError(code: 9, message: "")
      case UInt8(ascii: "u"): if call < 2 { throw .unreachable("") }
      case UInt8(ascii: "w"): return PerformerReply(echoedID: [], output: [])
      default: break
      }
      return .echo(id, payload)
    }
    try await Rig().run { rig in
      rig.publish(performer, capacity: 2)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<40 {
          let submission = try Rig.submission(Rig.draft(["ok", "e", "u", "w"][number % 4]))
          group.addTask { _ = await rig.unary.submit(submission) }
        }
        try await group.waitForAll()
      }
      #expect(rig.roster.snapshot().map(\.outstanding) == [0])
      #expect(rig.queue.depths.isEmpty)
      #expect(rig.inFlight.count == 0)
    }
  }

  @Test("never more tasks at a time than the performer takes, and all of that")
  func concurrency() async throws {
    let gate = TaskGate()
    let performer = FakePerformer.behind(gate)
    try await Rig().run { rig in
      rig.publish(performer, capacity: 3)
      try await withThrowingTaskGroup(of: Bool.self) { group in
        for _ in 0..<9 {
          let submission = try Rig.submission()
          group.addTask { await rig.unary.submit(submission)?.signed != nil }
        }
        try await eventually { rig.queue.depths[Rig.avs] == 6 && gate.arrivals == 3 }
        #expect(rig.roster.snapshot().map(\.outstanding) == [3])
        gate.open()
        for try await answered in group { #expect(answered) }
      }
    }
  }
}
