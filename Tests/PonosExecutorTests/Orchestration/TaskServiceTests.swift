import Logging
import PonosContainersTesting
import PonosCore
import PonosStore
import PonosStoreTesting
import PonosTelemetry
import PonosTesting
import ServiceLifecycle
import Testing

@testable import PonosContainers
@testable import PonosExecutor

@Suite("Task service")
struct TaskServiceTests {
  typealias Rig = PipelineRig

  @Test("on graceful shutdown no further run begins, those that are out are finished, and the rest stays in the journal")
  func onGracefulShutdownNoFurtherRunBegins() async throws {
    let gate = TaskGate()
    let performer = FakePerformer.behind(gate)
    let rig = try Rig()
    rig.publish(performer, capacity: 1)
    rig.admission.open()
    let group = ServiceGroup(
      services: [rig.service], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      let running = try Rig.submission()
      let waiting = try Rig.submission()
      let first = Task { await rig.unary.submit(running) }
      try await eventually { gate.arrivals == 1 }
      let second = Task { await rig.unary.submit(waiting) }
      try await eventually { rig.queue.depths[Rig.avs] == 1 }
      await group.triggerGracefulShutdown()
      try await eventually { rig.queue.isStopped }
      gate.open()
      #expect(await first.value?.signed != nil)
      try await tasks.waitForAll()
      #expect(performer.calls == [running.id])
      let record = try await rig.store.task(waiting.id)
      #expect(record?.phase == .queued)
      rig.admission.interruptWaitingCallers()
      #expect(await second.value?.isInterrupted == true)
    }
  }

  @Test("a pause that a performer asked for does not hold up a stop: who waits is told so, and the next start has the task")
  func pauseThatPerformerAskedForDoesNotHoldUpStop() async throws {
    let performer = FakePerformer { _, _, _ throws(PerformerCallError) in
      throw .answeredBusy("come back later", retryAfter: .seconds(80))
    }
    let rig = try Rig()
    rig.publish(performer)
    rig.admission.open()
    let group = ServiceGroup(
      services: [rig.service], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      let submission = try Rig.submission()
      let caller = Task { await rig.unary.submit(submission) }
      try await eventually { rig.registry.text().contains("ponos_task_retries_total{avs=\"\(Rig.avs)\"} 1") }
      let start = ContinuousClock.now
      await group.triggerGracefulShutdown()
      try await tasks.waitForAll()
      #expect(ContinuousClock.now - start < .seconds(20))
      #expect(await caller.value?.isInterrupted == true)
      #expect(try await rig.store.task(submission.id)?.phase.isFinished == false)
    }
  }

  @Test(
    "what cannot be written down does not hold up a stop: it is tried once more, and the next start ends the task",
    arguments: [FaultyStore.Write.digest, .signed, .failed])
  func shutdownWhileNothingCanBeWritten(write: FaultyStore.Write) async throws {
    let store = FaultyStore()
    let performer = FakePerformer { id, payload, _ throws(PerformerCallError) in
      if write == .failed { throw .answeredError(code: 3, message: "no") }
      return .echo(id, payload)
    }
    // Only for keys whose use shows outside is a digest written by itself.
    let local = KeyRing(SignatureCurve.allCases.map { TestKeys.executor($0) })
    let keys = write == .digest ? local.asIfOutside : local
    let rig = try Rig(store: store, keys: keys)
    rig.publish(performer)
    rig.admission.open()
    store.fail([write])
    var settings = ServiceGroupConfiguration(
      services: [.init(service: rig.service)], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    // What ends a stop by force.
    settings.maximumGracefulShutdownDuration = .seconds(15)
    let group = ServiceGroup(configuration: settings)
    let submission = try Rig.submission()
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      let caller = Task { await rig.unary.submit(submission) }
      // The pause before the next try is of 0.8 s by now.
      try await eventually { store.failures(of: write) >= 4 }
      let before = store.failures(of: write)
      let start = ContinuousClock.now
      await group.triggerGracefulShutdown()
      try await tasks.waitForAll()
      let stop = ContinuousClock.now - start
      #expect(stop < .seconds(10))
      // One more try, and perhaps one that was due just before the stop.
      #expect((1...2).contains(store.failures(of: write) - before))
      #expect(await caller.value?.isInterrupted == true)
      #expect(rig.inFlight.count == 0)
    }
    #expect(try await store.task(submission.id)?.phase.isFinished == false)
    store.fail([])
    let next = try Rig(store: store, keys: keys)
    try await next.stateRecovery.recoverTasks()
    try await next.run { next in
      next.publish(performer)
      try await eventually { try await store.task(submission.id)?.phase == (write == .failed ? .failed : .signed) }
    }
  }

  @Test("a performer that comes late gets the tasks that waited for it")
  func performerThatComesLateGetsTasksThatWaitedForIt() async throws {
    let performer = FakePerformer.echo()
    try await Rig().run { rig in
      rig.publish(.behind(TaskGate()), id: "full", capacity: 1)
      let submissions = try (0..<3).map { _ in try Rig.submission() }
      try await withThrowingTaskGroup(of: Bool.self) { group in
        group.addTask {
          _ = await rig.unary.submit(try Rig.submission()); return true
        }
        try await eventually { rig.roster.snapshot().map(\.outstanding) == [1] }
        for submission in submissions { group.addTask { await rig.unary.submit(submission)?.signed != nil } }
        try await eventually { rig.queue.depths[Rig.avs] == 3 }
        rig.publish(performer, id: "new")
        for _ in 0..<3 { #expect(try await group.next() == true) }
        group.cancelAll()
      }
      #expect(Set(performer.calls) == Set(submissions.map(\.id)))
    }
  }

  @Test("tasks of two AVSs share the daemon, not each other's slots")
  func tasksOfTwoAVSsShareDaemon() async throws {
    let gate = TaskGate()
    let other = FakePerformer.echo()
    try await Rig(avs: [Rig.avs, Rig.otherAVS]).run { rig in
      rig.publish(.behind(gate), id: "stuck", capacity: 1)
      rig.publish(other, id: "free", capacity: 1, avs: Rig.otherAVS)
      try await withThrowingTaskGroup(of: Bool.self) { group in
        for _ in 0..<5 {
          let submission = try Rig.submission()
          group.addTask { await rig.unary.submit(submission)?.signed != nil }
        }
        try await eventually { rig.queue.depths[Rig.avs] == 4 }
        for _ in 0..<20 {
          let submission = try Rig.submission(Rig.draft(avs: Rig.otherAVS))
          #expect(await rig.unary.submit(submission)?.signed != nil)
        }
        gate.open()
        for try await answered in group { #expect(answered) }
      }
    }
  }

  @Test("a container counts against a task unless another task's run had found it gone before")
  func containerCountsAgainstTaskUnlessAnotherTasksRun() async throws {
    let rig = try Rig()
    let validated = try await rig.validator.validate(try Rig.submission())
    guard case .accepted(let accepted) = try await rig.journal.accept(validated, timeout: .seconds(90)) else {
      Issue.record("the task was known before")
      return
    }
    func run(_ task: AcceptedTask, expectingLost lost: Int) throws -> AcceptedTask {
      let run = AssignedTask(task, lease: try #require(rig.roster.acquire(Rig.avs)))
      rig.roster.release(run.lease)
      #expect(run.accepted.lostContainers == lost)
      return run.accepted
    }
    rig.publish(.echo())
    let first = try run(accepted, expectingLost: 0)
    let again = try run(first, expectingLost: 0)
    rig.publish(.echo())
    // Another task's run breaks off in the second container; this one begins there a moment later.
    let breaking = try #require(rig.roster.acquire(Rig.avs))
    rig.roster.suspect(breaking)
    rig.roster.release(breaking)
    let second = try run(again, expectingLost: 1)
    rig.publish(.echo())
    let third = try run(second, expectingLost: 1)
    rig.publish(.echo())
    _ = try run(third, expectingLost: 2)
  }
}
