import GRDB
import GRPCCore
import PonosContainersTesting
import PonosCore
@testable import PonosExecutor
import PonosExecutorTesting
import PonosStoreTesting
import PonosTelemetry
import PonosTesting
import SwiftProtobuf
import Testing
@testable import PonosConfiguration
@testable import PonosStore

@Suite("State recovery")
struct StateRecoveryTests {
  typealias Rig = PipelineRig

  /// A store in which an earlier process left `submissions` accepted, in this order.
  private func leave(
    _ submissions: [TaskSubmission], in store: any ExecutorStore, clock: TestClock = TestClock(),
    avs: [EthereumAddress] = [Rig.avs], timeout: Duration = .seconds(90)
  ) async throws {
    let rig = try Rig(store: store, clock: clock, avs: avs)
    for submission in submissions {
      _ = try await rig.journal.accept(try await rig.validator.validate(submission), timeout: timeout)
    }
  }

  @Test("what was waiting or running is run, in the order of acceptance; what was finished is not")
  func resumes() async throws {
    let store = MemoryStore()
    let submissions = try (0..<4).map { try Rig.submission(Rig.draft("task \($0)")) }
    try await leave(submissions, in: store)
    try await store.record(.executing(performerID: "gone", attempt: 1), for: submissions[1].id)
    try await store.record(.failed(StoredFailure(code: "performer_error", message: "no"), at: 1), for: submissions[2].id)

    let performer = FakePerformer.echo()
    let rig = try Rig(store: store)
    try await rig.stateRecovery.recoverTasks()
    #expect(rig.queue.depths == [Rig.avs: 3])
    #expect(rig.inFlight.count == 3)
    try await rig.run { rig in
      rig.publish(performer, capacity: 1)
      try await eventually { rig.inFlight.count == 0 }
      #expect(performer.calls == [submissions[0].id, submissions[1].id, submissions[3].id])
      #expect(try await store.task(submissions[1].id)?.attempt == 2)
      for index in [0, 1, 3] {
        let result = try #require(await rig.unary.submit(submissions[index])?.signed)
        try Rig.check(result, for: submissions[index])
      }
      #expect(await rig.unary.submit(submissions[2])?.failure?.code == "performer_error")
      #expect(performer.calls.count == 3)
    }
  }

  @Test("a retry that comes before the performer is back joins the recovered task")
  func retryJoins() async throws {
    let store = MemoryStore()
    let submission = try Rig.submission()
    try await leave([submission], in: store)
    let performer = FakePerformer.echo()
    let rig = try Rig(store: store)
    try await rig.stateRecovery.recoverTasks()
    try await rig.run { rig in
      async let answer = rig.unary.submit(submission)
      #expect(rig.inFlight.count == 1)
      rig.publish(performer)
      try Rig.check(try #require(await answer?.signed), for: submission)
      #expect(performer.calls.count == 1)
    }
  }

  @Test("a recovered task keeps its deadline: the time the daemon was down counts")
  func deadlines() async throws {
    let store = MemoryStore()
    let clock = TestClock()
    let submissions = try (0..<2).map { _ in try Rig.submission() }
    try await leave([submissions[0]], in: store, clock: clock, timeout: .seconds(30))
    try await leave([submissions[1]], in: store, clock: clock, timeout: .seconds(90))
    clock.advance(by: .seconds(60))
    // Another process: another origin of the monotonic clock.
    let performer = FakePerformer.echo()
    let rig = try Rig(store: store, clock: clock)
    try await rig.stateRecovery.recoverTasks()
    try await rig.run { rig in
      rig.publish(performer)
      try await eventually { try await store.task(submissions[0].id)?.phase == .failed }
      #expect(await rig.unary.submit(submissions[0])?.failure?.code == "task_expired_while_down")
      #expect(await rig.unary.submit(submissions[1])?.signed != nil)
      #expect(performer.calls == [submissions[1].id])
    }
  }

  @Test("the end of tasks that a long downtime has cost is written beside what is let in, without flooding the store")
  func longDowntime() async throws {
    let directory = try TemporaryDirectory()
    let clock = TestClock()
    var limits = GroupCommitWriter.Limits()
    limits.pendingWrites = 300
    let store = try SQLiteStore.open(path: directory.file("store.sqlite"), limits: limits)
    let count = 1500
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<count {
        if number >= 200 { try await group.next() }
        group.addTask { _ = try await store.accept(try Rig.unverified(number, acceptedAt: clock.unixMilliseconds)) }
      }
      try await group.waitForAll()
    }
    clock.advance(by: .seconds(7200))
    let rig = try Rig(store: store, clock: clock)
    let writes = store.statistics.writes
    try await rig.stateRecovery.recoverTasks()
    #expect(store.statistics.writes == writes, "intake would wait for these")
    let performer = FakePerformer.echo()
    try await rig.run { rig in
      rig.publish(performer)
      #expect(await rig.unary.submit(try Rig.submission())?.signed != nil)
      try await eventually(within: .seconds(60)) { rig.inFlight.count == 0 }
      #expect(try await store.unfinishedTasks().isEmpty)
      var codes: Set<String?> = []
      for number in 0..<count { codes.insert(try await store.task(StoreRecords.taskID(number))?.failure?.code) }
      #expect(codes == ["task_expired_while_down"])
      #expect(performer.calls.count == 1)
    }
    try await store.close()
  }

  @Test("a clock that was set back gives no task more time than it had")
  func clockSetBack() async throws {
    let store = MemoryStore()
    let clock = TestClock()
    let submission = try Rig.submission()
    try await leave([submission], in: store, clock: clock, timeout: .seconds(30))
    clock.setWallClock(by: .seconds(-86_400))
    let rig = try Rig(store: store, clock: clock)
    try await rig.stateRecovery.recoverTasks()
    try await rig.run { rig in
      #expect(rig.queue.depths == [Rig.avs: 1])
      clock.advance(by: .seconds(31))
      try await eventually { try await store.task(submission.id)?.phase == .failed }
      #expect(await rig.unary.submit(submission)?.failure?.code == "task_expired")
    }
  }

  @Test("a task the configuration no longer covers is kept, not failed; with the old configuration it is run")
  func uncovered() async throws {
    let store = MemoryStore()
    let covered = try Rig.submission()
    let uncovered = try Rig.submission(Rig.draft(avs: Rig.otherAVS))
    try await leave([uncovered, covered], in: store, avs: [Rig.avs, Rig.otherAVS])

    let narrow = try Rig(store: store)
    try await narrow.stateRecovery.recoverTasks()
    #expect(narrow.queue.depths == [Rig.avs: 1])
    #expect(try await store.task(uncovered.id)?.phase == .queued)

    let wide = try Rig(store: store, avs: [Rig.avs, Rig.otherAVS])
    try await wide.stateRecovery.recoverTasks()
    try await wide.run { rig in
      rig.publish(.echo(), avs: Rig.otherAVS)
      try Rig.check(try #require(await rig.unary.submit(uncovered)?.signed), for: uncovered)
    }
  }

  @Test("a row whose submission cannot be read is passed over; the others are run")
  func unreadable() async throws {
    let store = MemoryStore()
    let good = try Rig.submission()
    let id = TaskID.random()
    _ = try await store.accept(
      AcceptedTaskRecord(
        id: id, contentHash: Digest32(unchecked: [UInt8](repeating: 1, count: 32)), submission: [0xff, 0x01],
        operatorSet: good.operatorSet, aggregator: good.aggregator, priority: 0, acceptedAt: 1, deadline: .max))
    try await leave([good], in: store)
    let rig = try Rig(store: store)
    try await rig.stateRecovery.recoverTasks()
    #expect(rig.queue.depths == [Rig.avs: 1])
    #expect(try await store.task(id)?.phase == .queued)
  }

  @Test("a task whose row or submission was changed on disk is passed over, counted and kept; the others are run")
  func changed() async throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("store.sqlite")
    let before = try SQLiteStore.open(path: path)
    let submissions = try (0..<4).map { try Rig.submission(Rig.draft("task \($0)")) }
    try await leave(submissions, in: before)
    try await before.close()
    let queue = try DatabaseQueue(path: path)
    try await queue.write { database in
      try database.execute(
        sql: "UPDATE submission SET bytes = (SELECT bytes FROM submission WHERE sequence = 1) WHERE sequence = 2")
      try database.execute(sql: "UPDATE task SET deadline = deadline * 2 WHERE sequence = 3")
    }
    try queue.close()
    let store = try SQLiteStore.open(path: path)
    let damaged = try await store.unfinishedTasks(in: 1...4).damaged
    #expect(damaged.count == 2)
    #expect(damaged.last?.message.contains("task \(submissions[2].id)") == true)
    let performer = FakePerformer.echo()
    let rig = try Rig(store: store)
    try await rig.stateRecovery.recoverTasks()
    #expect(rig.queue.depths == [Rig.avs: 2])
    #expect(rig.registry.text().contains(#"ponos_store_damaged_records_total{outcome="refused"} 2"#))
    try await rig.run { rig in
      rig.publish(performer)
      try await eventually { rig.inFlight.count == 0 }
      #expect(Set(performer.calls) == [submissions[0].id, submissions[3].id])
      // Whoever asks for one of the others is told what is wrong, with an error of the server that may be tried again.
      let refusal = try #require(await rig.unary.submit(submissions[1])?.refusal)
      #expect(refusal.code == "stored_record_damaged")
      #expect(RPCError(refusal).code == .dataLoss)
    }
    #expect(performer.calls.count == 2)
    try await store.close()
  }

  @Test("more tasks come back than the queue's limits would let in")
  func beyondLimits() async throws {
    let store = MemoryStore()
    let submissions = try (0..<5).map { _ in try Rig.submission() }
    try await leave(submissions, in: store)
    let rig = try Rig(store: store, limits: QueueConfig(maxPerAVS: 2, maxTotal: 2))
    try await rig.stateRecovery.recoverTasks()
    #expect(rig.queue.depths == [Rig.avs: 5])
    try await rig.run { rig in
      rig.publish(.echo())
      try await eventually { rig.inFlight.count == 0 }
      for submission in submissions { #expect(await rig.unary.submit(submission)?.signed != nil) }
    }
  }
}
