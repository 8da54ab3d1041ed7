import PonosCore
import PonosTesting
import Synchronization
import Testing

@testable import PonosExecutor

@Suite("A full queue")
struct QueueOverflowTests {
  typealias Rig = PipelineRig

  private func submission(_ payload: String, priority: Int32) throws -> TaskSubmission {
    var submission = try Rig.submission(Rig.draft(payload))
    submission.urgency = TaskUrgency(priority: priority)
    return submission
  }

  @Test("a task that makes room for a better one is answered, written down and counted as failed; retries get the same")
  func displaced() async throws {
    let gate = TaskGate()
    let limits = QueueConfig(maxPerAVS: 1, maxTotal: 10, overflow: .dropLowestPriority)
    try await Rig(limits: limits).run { rig in
      rig.publish(.behind(gate), capacity: 1)
      async let running = rig.receiver.submit(try submission("running", priority: 0))
      try await eventually { gate.arrivals == 1 }
      let low = try submission("low", priority: 0)
      async let displaced = rig.receiver.submit(low)
      try await eventually { rig.queue.depths[Rig.avs] == 1 }
      let equal = try submission("equal", priority: 0)
      #expect(await rig.receiver.submit(equal)?.refusal == .queueFull(avs: Rig.avs, .tasksOfAVS))
      async let high = rig.receiver.submit(try submission("high", priority: 1))
      let failure = try #require(await displaced?.failure)
      #expect(failure.code == "task_displaced")
      let record = try #require(try await rig.store.task(low.id))
      #expect(record.phase == .failed && record.failure == failure)
      #expect(await rig.receiver.submit(low)?.failure == failure)
      gate.open()
      #expect(try await running?.signed != nil)
      #expect(try await high?.signed != nil)
      let text = rig.registry.text()
      for line in [
        "ponos_queue_overflow_total{avs=\"\(Rig.avs)\",policy=\"dropLowestPriority\",reason=\"avs_tasks\"} 1",
        "ponos_queue_overflow_total{avs=\"\(Rig.avs)\",policy=\"rejectNewest\",reason=\"avs_tasks\"} 1",
        "ponos_tasks_failed_total{avs=\"\(Rig.avs)\",code=\"task_displaced\"} 1",
      ] { #expect(text.contains(line), "\(line)") }
    }
  }

  @Test("whoever waits for room hears of it: when a task leaves, expires or gives its place back, and when it goes away itself")
  func room() async throws {
    let clock = TestClock()
    let rig = try Rig(clock: clock, limits: QueueConfig(maxPerAVS: 1, maxTotal: 10), timeout: .seconds(5))
    let queue = rig.queue
    let task = try await accepted(rig)
    func reserve() { #expect(queue.reserve(avs: Rig.avs, byteCount: 4, priority: 0, deadline: task.deadline) == nil) }

    #expect(queue.freePlaces(avs: Rig.avs) == 1)
    await queue.roomForTask(of: Rig.avs)

    reserve()
    #expect(queue.freePlaces(avs: Rig.avs) == 0)
    await queue.roomForTask(of: Rig.otherAVS)
    try await becomesFree(rig) { queue.cancelReservation(avs: Rig.avs, byteCount: 4) }

    reserve()
    #expect(queue.fillReservation(with: task))
    rig.publish(.echo())
    try await becomesFree(rig) { #expect(queue.next(acquire: { rig.roster.acquire($0.avs) })?.id == task.id) }

    reserve()
    #expect(queue.fillReservation(with: task))
    try await becomesFree(rig) { #expect(queue.removeExpired(now: task.deadline).map(\.id) == [task.id]) }

    reserve()
    let impatient = Task { await queue.roomForTask(of: Rig.avs) }
    await Task.yield()
    impatient.cancel()
    await impatient.value
  }

  /// Waits for room, checks that it is not told of any before `body` makes it, and is told afterwards.
  private func becomesFree(_ rig: Rig, _ body: () -> Void) async throws {
    let told = Mutex(false)
    let queue = rig.queue
    let waiting = Task {
      await queue.roomForTask(of: Rig.avs)
      told.withLock { $0 = true }
    }
    for _ in 0..<20 { await Task.yield() }
    #expect(told.withLock { $0 } == false)
    body()
    await waiting.value
  }

  private func accepted(_ rig: Rig) async throws -> AcceptedTask {
    let task = try await rig.validator.validate(try Rig.submission())
    let acceptance = try await rig.journal.accept(task, timeout: .seconds(5))
    guard case .accepted(let accepted) = acceptance else {
      Issue.record("the task is new")
      throw CancellationError()
    }
    return accepted
  }
}
