import GRPCCore
import PonosContainers
import PonosContainersTesting
import PonosCore
@testable import PonosExecutor
import PonosTelemetry
import PonosTesting
import Testing
@testable import PonosStore

@Suite("Priority and deadline of a submission")
struct UrgencyTests {
  typealias Rig = PipelineRig

  private func submission(
    _ payload: String = "work", priority: Int32 = 0, deadline: Int64? = nil
  ) throws -> TaskSubmission {
    var submission = try Rig.submission(Rig.draft(payload))
    submission.urgency = TaskUrgency(priority: priority, deadline: deadline)
    return submission
  }

  @Test("metadata that say nothing leave the defaults; numbers are taken as they are")
  func metadata() throws {
    #expect(try TaskUrgency(metadata: [:]) == TaskUrgency())
    let urgency = try TaskUrgency(metadata: ["ponos-priority": "-2147483648", "ponos-deadline": "1760000000000"])
    #expect(urgency == TaskUrgency(priority: .min, deadline: 1_760_000_000_000))
    for said in [TaskUrgency(), urgency, TaskUrgency(priority: 7, deadline: nil)] {
      #expect(try TaskUrgency(metadata: said.metadata) == said)
    }
  }

  @Test(
    "metadata that cannot be read are refused by name",
    arguments: [
      ("ponos-priority", "high"), ("ponos-priority", "2147483648"), ("ponos-priority", ""), ("ponos-priority", "1.0"),
      ("ponos-deadline", "soon"), ("ponos-deadline", "9223372036854775808"), ("ponos-deadline", "2026-01-01T00:00:00Z"),
    ])
  func unreadable(key: String, value: String) {
    var metadata = Metadata()
    metadata.addString(value, forKey: key)
    let error = refusal(of: metadata)
    #expect(error?.code == "malformed_submission")
    #expect(error?.message.hasPrefix(key) == true)
    metadata = [:]
    for _ in 1...2 { metadata.addString("1", forKey: key) }
    #expect(refusal(of: metadata)?.message == "\(key) is given 2 times; give it once")
  }

  private func refusal(of metadata: Metadata) -> Rejection? {
    do throws(Rejection) {
      _ = try TaskUrgency(metadata: metadata)
      return nil
    } catch {
      return error
    }
  }

  @Test("a task's time ends with its deadline or with the AVS's time, whichever is nearer, and both are written down")
  func writtenDown() async throws {
    let clock = TestClock()
    let now = clock.unixMilliseconds
    try await Rig(clock: clock, timeout: .seconds(60)).run { rig in
      rig.publish(.echo())
      for (deadline, expected) in [(nil, now + 60_000), (now + 5000, now + 5000), (now + 90_000, now + 60_000)] {
        let submission = try submission(priority: -7, deadline: deadline)
        #expect(await rig.unary.submit(submission)?.signed != nil)
        let record = try #require(try await rig.store.task(submission.id))
        #expect(record.accepted.deadline == expected)
        #expect(record.accepted.priority == -7)
      }
    }
  }

  @Test("a deadline that has passed is refused and leaves no trace; a retry of a finished task is answered all the same")
  func passed() async throws {
    let clock = TestClock()
    try await Rig(clock: clock).run { rig in
      rig.publish(.echo())
      let late = try submission(deadline: clock.unixMilliseconds)
      #expect(await rig.unary.submit(late)?.refusal == .deadlinePassed(late.id))
      #expect(try await rig.store.task(late.id) == nil)
      var finished = try submission(deadline: clock.unixMilliseconds + 1000)
      let first = try #require(await rig.unary.submit(finished)?.signed)
      clock.advance(by: .seconds(2))
      #expect(await rig.unary.submit(finished)?.signed == first)
      finished.urgency = TaskUrgency(priority: 9, deadline: 1)
      #expect(await rig.unary.submit(finished)?.signed == first)
    }
  }

  @Test("a task whose deadline passes in the queue has failed")
  func expires() async throws {
    let clock = TestClock()
    let gate = TaskGate()
    try await Rig(clock: clock).run { rig in
      rig.publish(.behind(gate), capacity: 1)
      async let running = rig.unary.submit(try submission())
      try await eventually { gate.arrivals == 1 }
      async let waiting = rig.unary.submit(try submission(deadline: clock.unixMilliseconds + 3000))
      try await eventually { rig.queue.depths[Rig.avs] == 1 }
      clock.advance(by: .seconds(4))
      #expect(try await waiting?.failure?.code == "task_expired")
      #expect(rig.registry.text().contains("ponos_queue_expired_total{avs=\"\(Rig.avs)\"} 1"))
      gate.open()
      #expect(try await running?.signed != nil)
    }
  }

  @Test("a retry with another priority or deadline joins the task that waits, and changes nothing about it")
  func joins() async throws {
    let gate = TaskGate()
    let performer = FakePerformer.behind(gate)
    try await Rig().run { rig in
      rig.publish(performer, capacity: 1)
      let first = try submission("first")
      var changed = first
      changed.urgency = TaskUrgency(priority: 5, deadline: rig.clock.unixMilliseconds + 10)
      async let one = rig.unary.submit(first)
      try await eventually { gate.arrivals == 1 }
      async let two = rig.unary.submit(changed)
      gate.open()
      let (first1, second) = (await one?.signed, await two?.signed)
      #expect(first1 != nil && first1 == second)
      #expect(performer.calls.count == 1)
      #expect(try await rig.store.task(first.id)?.accepted.priority == 0)
    }
  }

  @Test("tasks leave by priority, then by deadline, then in the order of acceptance; a restart changes nothing about it")
  func order() async throws {
    let store = MemoryStore()
    let clock = TestClock()
    let now = clock.unixMilliseconds
    let submissions = try [
      submission("4", deadline: now + 20_000), submission("2", priority: 2), submission("1", priority: 3),
      submission("6", priority: -1), submission("3", deadline: now + 10_000), submission("5"),
      submission("7", priority: -1),
    ]
    let expected = submissions.sorted { $0.payload[0] < $1.payload[0] }

    let before = try Rig(store: store, clock: clock)
    for submission in submissions {
      let task = try await before.validator.validate(submission)
      guard case .accepted(let accepted) = try await before.journal.accept(task, timeout: .seconds(90)) else {
        Issue.record("the task is new")
        return
      }
      let refusal = before.queue.reserve(
        avs: accepted.avs, byteCount: submission.payload.count, priority: accepted.priority, deadline: accepted.deadline)
      #expect(refusal == nil)
      #expect(before.queue.fillReservation(with: accepted))
    }
    let performer = FakePerformer.echo()
    before.publish(performer, capacity: 1)
    var live: [TaskID] = []
    while let task = before.queue.next(acquire: { before.roster.acquire($0.avs) }) {
      live.append(task.id)
      before.roster.release(task.lease)
      before.queue.slotsChanged(of: task.accepted.avs)
    }
    #expect(live == expected.map(\.id))

    clock.advance(by: .seconds(1))
    let rig = try Rig(store: store, clock: clock)
    try await rig.stateRecovery.recoverTasks()
    try await rig.run { rig in
      rig.publish(performer, capacity: 1)
      try await eventually { rig.inFlight.count == 0 }
      #expect(performer.calls == expected.map(\.id))
    }
  }
}
