import PonosCore
import PonosStore
import Testing

/// What every `ExecutorStore` must do, as cases to be run one by one on a fresh store.
package enum ExecutorStoreConformance {
  package struct Case: Sendable, CustomTestStringConvertible {
    package let name: String
    package let run: @Sendable (any ExecutorStore) async throws -> Void
    package var testDescription: String { name }
  }

  package static let cases: [Case] = [
    Case(name: "an accepted task is read back as it was written", run: acceptedTaskReadsBack),
    Case(name: "a known id is not written again", run: knownTaskIsKept),
    Case(name: "one of many concurrent acceptances of an id wins", run: concurrentAcceptances),
    Case(name: "sequence numbers rise and are not used again", run: sequencesRise),
    Case(name: "transitions are recorded", run: transitions),
    Case(name: "unknown and finished tasks refuse transitions", run: refusedTransitions),
    Case(name: "unfinished tasks come in the order of acceptance", run: unfinishedTasks),
    Case(name: "recent tasks come newest first", run: recentTasks),
    Case(name: "retention deletes finished tasks only", run: retention),
    Case(name: "one digest per task, for ever", run: digests),
    Case(name: "an output is kept with its digest until the task is finished", run: outputs),
    Case(name: "one of many concurrent digests of a task wins", run: concurrentDigests),
    Case(name: "digests have a retention of their own and outlive their tasks", run: digestRetention),
    Case(name: "a task is finished and its digest recorded in one step", run: finish),
    Case(name: "a task is not finished with another digest than the one recorded", run: refusedFinish),
    Case(name: "the digest of a finished task outlives it, and the id comes back with word of it", run: digestOfFinishedTask),
    Case(name: "one of many concurrent ends of a task wins", run: concurrentFinishes),
    Case(name: "the beginning of a run shows at once, and is kept with the next step", run: beginnings),
    Case(name: "unfinished tasks come in pages", run: pages),
    Case(name: "a result can be put in the place of a signed one only", run: replacedResults),
    Case(name: "a trial write leaves nothing, and a check finds nothing", run: trialAndCheck),
    Case(name: "performers are saved, replaced and deleted", run: performers),
    Case(name: "large and empty byte strings", run: extremeSizes),
    Case(name: "the installation id stays", run: installation),
    Case(name: "a closed store refuses everything", run: closing),
  ]

  // MARK: Tasks

  @Sendable private static func acceptedTaskReadsBack(_ store: any ExecutorStore) async throws {
    let task = StoreRecords.task(1)
    #expect(try await store.accept(task).isAccepted)
    let record = try #require(try await store.task(task.id))
    #expect(record == TaskRecord(accepted: task, sequence: record.sequence))
    #expect(try await store.task(StoreRecords.taskID(2)) == nil)
  }

  @Sendable private static func knownTaskIsKept(_ store: any ExecutorStore) async throws {
    let first = StoreRecords.task(1)
    var other = StoreRecords.task(2)
    other.id = first.id
    #expect(try await store.accept(first).isAccepted)
    let record = try #require(try await store.task(first.id))
    #expect(try await store.accept(other) == .known(record))
    #expect(try await store.task(first.id) == record)
    #expect(try await store.unfinishedTasks() == [record])
  }

  @Sendable private static func concurrentAcceptances(_ store: any ExecutorStore) async throws {
    let outcomes = try await withThrowingTaskGroup(of: AcceptOutcome.self) { group in
      for contender in 0..<32 {
        group.addTask {
          var task = StoreRecords.task(contender)
          task.id = StoreRecords.taskID(1)
          return try await store.accept(task)
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    let winner = try #require(try await store.task(StoreRecords.taskID(1)))
    #expect(outcomes.count { $0.isAccepted } == 1)
    #expect(outcomes.count { $0 == .known(winner) } == 31)
  }

  @Sendable private static func sequencesRise(_ store: any ExecutorStore) async throws {
    var last: Int64 = 0
    for number in 1...3 {
      let task = StoreRecords.task(number)
      _ = try await store.accept(task)
      let sequence = try #require(try await store.task(task.id)).sequence
      #expect(sequence > last)
      last = sequence
      try await store.record(.signed(result: [1], at: 10), for: task.id)
      #expect(try await store.deleteTasks(finishedBefore: 11) == 1)
    }
  }

  @Sendable private static func transitions(_ store: any ExecutorStore) async throws {
    let task = StoreRecords.task(1)
    _ = try await store.accept(task)
    var expected = try #require(try await store.task(task.id))

    try await store.record(.executing(performerID: "p1", attempt: 1), for: task.id)
    (expected.phase, expected.performerID, expected.attempt) = (.executing, "p1", 1)
    #expect(try await store.task(task.id) == expected)

    try await store.record(.requeued, for: task.id)
    expected.phase = .queued
    #expect(try await store.task(task.id) == expected)

    try await store.record(.executing(performerID: "p2", attempt: 2), for: task.id)
    _ = try await store.record(StoreRecords.signedDigest(task: 1, digest: 1), output: [7, 0, 7])
    (expected.phase, expected.performerID, expected.attempt, expected.output) = (.collected, "p2", 2, [7, 0, 7])
    expected.hasDigest = true
    #expect(try await store.task(task.id) == expected)
    #expect(try await store.unfinishedTasks() == [expected])

    try await store.record(.signed(result: [0, 255, 0], at: 1_700_000_005_000), for: task.id)
    (expected.phase, expected.output, expected.accepted.submission) = (.signed, nil, [])
    (expected.result, expected.finishedAt, expected.hasDigest) = ([0, 255, 0], 1_700_000_005_000, false)
    #expect(try await store.task(task.id) == expected)

    let other = StoreRecords.task(2)
    _ = try await store.accept(other)
    let failure = StoredFailure(code: "task_timed_out", message: "it’s \"late\"\n\0")
    try await store.record(.failed(failure, at: 3), for: other.id)
    let failed = try #require(try await store.task(other.id))
    #expect(failed.phase == .failed && failed.finishedAt == 3 && failed.result == nil)
    #expect(failed.failure == failure)
    #expect(try await store.accept(other) == .known(failed))
  }

  @Sendable private static func refusedTransitions(_ store: any ExecutorStore) async throws {
    let steps: [TaskTransition] = [
      .executing(performerID: "p", attempt: 1), .requeued, .signed(result: [2], at: 2),
      .failed(StoredFailure(code: "c", message: "m"), at: 2),
    ]
    for step in steps {
      #expect(await code { try await store.record(step, for: StoreRecords.taskID(9)) } == .unknownTask)
    }
    let endings: [TaskTransition] = [.signed(result: [1], at: 1), .failed(StoredFailure(code: "a", message: "b"), at: 1)]
    for (number, ending) in endings.enumerated() {
      let task = StoreRecords.task(number)
      _ = try await store.accept(task)
      try await store.record(ending, for: task.id)
      let finished = try #require(try await store.task(task.id))
      for step in steps {
        #expect(await code { try await store.record(step, for: task.id) } == .finishedTask)
      }
      #expect(try await store.task(task.id) == finished)
    }
  }

  @Sendable private static func unfinishedTasks(_ store: any ExecutorStore) async throws {
    let numbers = [5, 3, 9, 1, 7]
    for number in numbers { _ = try await store.accept(StoreRecords.task(number)) }
    try await store.record(.executing(performerID: "p", attempt: 1), for: StoreRecords.taskID(3))
    try await store.record(.signed(result: [1], at: 1), for: StoreRecords.taskID(9))
    try await store.record(.failed(StoredFailure(code: "a", message: "b"), at: 1), for: StoreRecords.taskID(1))
    let unfinished = try await store.unfinishedTasks()
    #expect(unfinished.map(\.id) == [5, 3, 7].map(StoreRecords.taskID))
    #expect(unfinished.map(\.accepted) == [5, 3, 7].map { StoreRecords.task($0) })
    #expect(unfinished.map(\.phase) == [.queued, .executing, .queued])
  }

  @Sendable private static func recentTasks(_ store: any ExecutorStore) async throws {
    #expect(try await store.recentTasks(limit: 10) == [])
    for number in 1...6 { _ = try await store.accept(StoreRecords.task(number)) }
    try await store.record(.executing(performerID: "p", attempt: 1), for: StoreRecords.taskID(5))
    try await store.record(.failed(StoredFailure(code: "a", message: "b"), at: 1), for: StoreRecords.taskID(5))
    let recent = try await store.recentTasks(limit: 3)
    #expect(recent.map(\.id) == [6, 5, 4].map(StoreRecords.taskID))
    for summary in recent {
      #expect(try await store.task(summary.id).map { TaskSummary($0) } == summary)
    }
    #expect(try await store.recentTasks(limit: 0) == [])
    #expect(try await store.recentTasks(limit: 100).count == 6)
  }

  @Sendable private static func retention(_ store: any ExecutorStore) async throws {
    for number in 1...5 { _ = try await store.accept(StoreRecords.task(number)) }
    try await store.record(.signed(result: [1], at: 100), for: StoreRecords.taskID(1))
    try await store.record(.failed(StoredFailure(code: "a", message: "b"), at: 101), for: StoreRecords.taskID(2))
    try await store.record(.signed(result: [1], at: 200), for: StoreRecords.taskID(3))
    _ = try await store.record(StoreRecords.signedDigest(task: 1, digest: 1), output: [])
    #expect(try await store.deleteTasks(finishedBefore: 100) == 0)
    #expect(try await store.deleteTasks(finishedBefore: 200) == 2)
    #expect(try await store.recentTasks(limit: 10).map(\.id) == [5, 4, 3].map(StoreRecords.taskID))
    #expect(await code { try await store.record(.requeued, for: StoreRecords.taskID(1)) } == .unknownTask)
    #expect(
      try await store.record(StoreRecords.signedDigest(task: 1, digest: 2), output: [])
        == .conflict(recorded: StoreRecords.digest(1)))
    #expect(try await store.deleteTasks(finishedBefore: .max) == 1)
    try await store.compact()
    #expect(try await store.unfinishedTasks().count == 2)
  }

  // MARK: Digests

  @Sendable private static func digests(_ store: any ExecutorStore) async throws {
    #expect(try await store.record(StoreRecords.signedDigest(task: 1, digest: 1), output: []) == .recorded)
    #expect(try await store.record(StoreRecords.signedDigest(task: 1, digest: 1), output: []) == .sameAsRecorded)
    #expect(
      try await store.record(StoreRecords.signedDigest(task: 1, digest: 2), output: [])
        == .conflict(recorded: StoreRecords.digest(1)))
    #expect(try await store.record(StoreRecords.signedDigest(task: 1, digest: 1), output: []) == .sameAsRecorded)
    #expect(try await store.record(StoreRecords.signedDigest(task: 2, digest: 2), output: []) == .recorded)
  }

  @Sendable private static func outputs(_ store: any ExecutorStore) async throws {
    let task = StoreRecords.task(1)
    _ = try await store.accept(task)
    _ = try await store.record(StoreRecords.signedDigest(task: 1, digest: 1), output: [1])
    #expect(
      try await store.record(StoreRecords.signedDigest(task: 1, digest: 2), output: [2])
        == .conflict(recorded: StoreRecords.digest(1)))
    #expect(try await store.task(task.id)?.output == [1])
    try await store.record(.failed(StoredFailure(code: "a", message: "b"), at: 1), for: task.id)
    let failed = try #require(try await store.task(task.id))
    #expect(failed.output == nil && failed.phase == .failed)
    #expect(try await store.record(StoreRecords.signedDigest(task: 1, digest: 1), output: [1]) == .sameAsRecorded)
    #expect(try await store.task(task.id) == failed, "a finished task does not change any more")
  }

  @Sendable private static func concurrentDigests(_ store: any ExecutorStore) async throws {
    let outcomes = try await withThrowingTaskGroup(of: (Int, DigestOutcome).self) { group in
      for number in 0..<32 {
        group.addTask { (number, try await store.record(StoreRecords.signedDigest(task: 1, digest: number), output: [])) }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    let winners = outcomes.filter { $0.1 == .recorded }.map(\.0)
    #expect(winners.count == 1)
    let winner = try #require(winners.first)
    #expect(outcomes.count { $0.1 == .conflict(recorded: StoreRecords.digest(winner)) } == 31)
  }

  @Sendable private static func digestRetention(_ store: any ExecutorStore) async throws {
    for number in 1...3 {
      _ = try await store.accept(StoreRecords.task(number))
      var record = StoreRecords.signedDigest(task: number, digest: number)
      record.recordedAt = Int64(number)
      #expect(try await store.record(record, output: [1]) == .recorded)
      #expect(try await store.signedDigest(of: record.taskID) == record)
      // Recorded again, it stays what it was.
      var again = record
      again.recordedAt = 1000
      #expect(try await store.record(again, output: [1]) == .sameAsRecorded)
      #expect(try await store.signedDigest(of: record.taskID) == record)
    }
    for number in [1, 3] { try await store.record(.signed(result: [1], at: 5), for: StoreRecords.taskID(number)) }
    #expect(try await store.deleteDigests(recordedBefore: 3) == 0, "their tasks are still there")
    #expect(try await store.deleteTasks(finishedBefore: 6) == 2)
    #expect(try await store.deleteDigests(recordedBefore: 3) == 1)
    #expect(try await store.signedDigest(of: StoreRecords.taskID(1)) == nil)
    #expect(try await store.signedDigest(of: StoreRecords.taskID(2)) != nil, "its task is not finished")
    #expect(try await store.signedDigest(of: StoreRecords.taskID(3)) != nil)
    #expect(
      try await store.record(StoreRecords.signedDigest(task: 3, digest: 9), output: [])
        == .conflict(recorded: StoreRecords.digest(3)))
  }

  @Sendable private static func finish(_ store: any ExecutorStore) async throws {
    let task = StoreRecords.task(1)
    _ = try await store.accept(task)
    var expected = try #require(try await store.task(task.id))
    let signed = StoreRecords.signedTask(1, digest: 3, result: [0, 255, 0], at: 77)
    #expect(try await store.finish(signed) == .recorded)
    (expected.phase, expected.result, expected.finishedAt, expected.accepted.submission) = (.signed, [0, 255, 0], 77, [])
    #expect(try await store.task(task.id) == expected)
    #expect(try await store.signedDigest(of: task.id) == signed.digest)
    #expect(try await store.unfinishedTasks() == [])
    #expect(await code { _ = try await store.finish(signed) } == .finishedTask)
    #expect(await code { _ = try await store.finish(StoreRecords.signedTask(2, digest: 1)) } == .unknownTask)
    #expect(try await store.record(signed.digest, output: [1]) == .sameAsRecorded)
    #expect(
      try await store.record(StoreRecords.signedDigest(task: 1, digest: 4), output: [1])
        == .conflict(recorded: StoreRecords.digest(3)))
    #expect(try await store.task(task.id) == expected, "a finished task does not change any more")
    #expect(try await store.signedDigest(of: StoreRecords.taskID(2)) == nil)
    #expect(try await store.check().faults == [])
  }

  @Sendable private static func refusedFinish(_ store: any ExecutorStore) async throws {
    _ = try await store.accept(StoreRecords.task(1))
    let recorded = StoreRecords.signedDigest(task: 1, digest: 1)
    #expect(try await store.record(recorded, output: [7]) == .recorded)
    let before = try #require(try await store.task(StoreRecords.taskID(1)))
    #expect(before.hasDigest)
    #expect(try await store.finish(StoreRecords.signedTask(1, digest: 2)) == .conflict(recorded: StoreRecords.digest(1)))
    #expect(try await store.task(StoreRecords.taskID(1)) == before, "nothing of it is written")
    #expect(try await store.finish(StoreRecords.signedTask(1, digest: 1)) == .sameAsRecorded)
    #expect(try await store.task(StoreRecords.taskID(1))?.phase == .signed)
    #expect(try await store.signedDigest(of: StoreRecords.taskID(1)) == recorded, "recorded again, it stays what it was")
  }

  @Sendable private static func digestOfFinishedTask(_ store: any ExecutorStore) async throws {
    let (task, signed) = (StoreRecords.task(1), StoreRecords.signedTask(1, digest: 3, at: 77))
    #expect(try await store.accept(task) == .accepted(sequence: 1, hasDigest: false))
    _ = try await store.finish(signed)
    #expect(try await store.deleteDigests(recordedBefore: .max) == 0, "its task is still there")
    #expect(try await store.deleteTasks(finishedBefore: 78) == 1)
    #expect(try await store.signedDigest(of: task.id) == signed.digest)
    #expect(try await store.accept(task) == .accepted(sequence: 2, hasDigest: true))
    #expect(try await store.task(task.id)?.hasDigest == true)
    #expect(try await store.unfinishedTasks().first?.hasDigest == true)
    #expect(try await store.finish(StoreRecords.signedTask(1, digest: 4, at: 80)) == .conflict(recorded: StoreRecords.digest(3)))
    #expect(try await store.finish(StoreRecords.signedTask(1, digest: 3, at: 80)) == .sameAsRecorded)
    #expect(try await store.signedDigest(of: task.id) == signed.digest)
    #expect(try await store.deleteTasks(finishedBefore: 81) == 1)
    #expect(try await store.signedDigest(of: task.id) == signed.digest)
    #expect(try await store.deleteDigests(recordedBefore: 78) == 1)
    #expect(try await store.accept(task) == .accepted(sequence: 3, hasDigest: false))
  }

  @Sendable private static func concurrentFinishes(_ store: any ExecutorStore) async throws {
    _ = try await store.accept(StoreRecords.task(1))
    let winners = try await withThrowingTaskGroup(of: Int?.self) { group in
      for number in 0..<32 {
        group.addTask {
          do throws(StoreError) {
            return try await store.finish(StoreRecords.signedTask(1, digest: number, result: [UInt8(number)])) == .recorded
              ? number : nil
          } catch {
            #expect(error.code == .finishedTask)
            return nil
          }
        }
      }
      return try await group.compactMap(\.self).reduce(into: []) { $0.append($1) }
    }
    let winner = try #require(winners.first)
    #expect(winners.count == 1)
    #expect(try await store.task(StoreRecords.taskID(1))?.result == [UInt8(winner)])
    #expect(try await store.signedDigest(of: StoreRecords.taskID(1))?.digest == StoreRecords.digest(winner))
  }

  @Sendable private static func beginnings(_ store: any ExecutorStore) async throws {
    let ids = (1...3).map(StoreRecords.taskID)
    for number in 1...3 { _ = try await store.accept(StoreRecords.task(number)) }
    for id in ids {
      store.recordSoon(.executing(performerID: "p", attempt: 1), for: id) { Issue.record("\($0)") }
      let record = try await store.task(id)
      #expect(record?.phase == .executing && record?.performerID == "p" && record?.attempt == 1)
    }
    #expect(try await store.recentTasks(limit: 9).allSatisfy { $0.phase == .executing && $0.attempt == 1 })
    try await store.record(.requeued, for: ids[0])
    try await store.record(.failed(StoredFailure(code: "c", message: "m"), at: 5), for: ids[1])
    _ = try await store.finish(StoreRecords.signedTask(3, digest: 3))
    for (id, phase) in zip(ids, [TaskPhase.queued, .failed, .signed]) {
      let record = try await store.task(id)
      #expect(record?.phase == phase && record?.performerID == "p" && record?.attempt == 1)
    }
  }

  @Sendable private static func pages(_ store: any ExecutorStore) async throws {
    #expect(try await store.unfinishedPages(of: 3) == [])
    for number in 1...8 { _ = try await store.accept(StoreRecords.task(number)) }
    try await store.record(.signed(result: [1], at: 1), for: StoreRecords.taskID(2))
    for size in [1, 3, 7, 8, 100] {
      var (ids, last) = ([TaskID](), Int64.min)
      for range in try await store.unfinishedPages(of: size) {
        #expect(range.lowerBound > last)
        last = range.upperBound
        let page = try await store.unfinishedTasks(in: range)
        #expect(page.damaged.isEmpty && (1...size).contains(page.tasks.count))
        ids += page.tasks.map(\.id)
      }
      #expect(ids == [1, 3, 4, 5, 6, 7, 8].map(StoreRecords.taskID))
    }
  }

  @Sendable private static func replacedResults(_ store: any ExecutorStore) async throws {
    #expect(await code { try await store.replaceResult(of: StoreRecords.taskID(1), by: [1]) } == .unknownTask)
    _ = try await store.accept(StoreRecords.task(1))
    #expect(await code { try await store.replaceResult(of: StoreRecords.taskID(1), by: [1]) } == .unknownTask)
    try await store.record(.signed(result: [1], at: 5), for: StoreRecords.taskID(1))
    var expected = try #require(try await store.task(StoreRecords.taskID(1)))
    try await store.replaceResult(of: StoreRecords.taskID(1), by: [2, 3])
    expected.result = [2, 3]
    #expect(try await store.task(StoreRecords.taskID(1)) == expected)
  }

  @Sendable private static func trialAndCheck(_ store: any ExecutorStore) async throws {
    for number in 1...4 { _ = try await store.accept(StoreRecords.task(number)) }
    _ = try await store.record(StoreRecords.signedDigest(task: 2, digest: 2), output: [1])
    try await store.record(.signed(result: [1], at: 5), for: StoreRecords.taskID(3))
    try await store.record(.failed(StoredFailure(code: "a", message: "b"), at: 6), for: StoreRecords.taskID(4))
    try await store.save(StoreRecords.performer(1, createdAt: 1))
    try await store.tryToWrite()
    let findings = try await store.check()
    #expect(findings.isIntact, "\(findings.faults)")
    #expect(findings.records >= 5)
  }

  // MARK: Performers

  @Sendable private static func performers(_ store: any ExecutorStore) async throws {
    let late = StoreRecords.performer(1, createdAt: 20)
    var early = StoreRecords.performer(2, createdAt: 10)
    let twin = StoreRecords.performer(0, createdAt: 20)
    for performer in [late, early, twin] { try await store.save(performer) }
    #expect(try await store.performers() == [early, late, twin])
    early.role = .inService
    early.containerID = "c0ffee"
    early.imageID = "sha256:decaf"
    early.generation = 2
    early.origin = .configuration
    early.spec.environment = []
    try await store.save(early)
    #expect(try await store.performers() == [early, late, twin])
    try await store.deletePerformer(id: late.id)
    try await store.deletePerformer(id: "performer-unknown")
    #expect(try await store.performers() == [early, twin])
  }

  // MARK: The rest

  @Sendable private static func extremeSizes(_ store: any ExecutorStore) async throws {
    let sizes = [0, 1, 4095, 4097, 4 << 20]
    for (number, size) in sizes.enumerated() {
      let task = StoreRecords.task(number, submission: [UInt8](repeating: UInt8(number), count: size))
      #expect(try await store.accept(task).isAccepted)
      #expect(try await store.task(task.id)?.accepted == task)
      let result = [UInt8](repeating: 0xff, count: size)
      _ = try await store.record(StoreRecords.signedDigest(task: number, digest: 1), output: result)
      #expect(try await store.task(task.id)?.output == result)
      try await store.record(.signed(result: result, at: 1), for: task.id)
      #expect(try await store.task(task.id)?.result == result)
    }
  }

  @Sendable private static func installation(_ store: any ExecutorStore) async throws {
    let id = try await store.installationID()
    #expect(id.count == 36 && id == id.lowercased())
    #expect(try await store.installationID() == id)
  }

  @Sendable private static func closing(_ store: any ExecutorStore) async throws {
    let performer = StoreRecords.performer(1, createdAt: 1)
    // Writes in flight when the store is closed are either made or refused, and always answered.
    let outcomes = try await withThrowingTaskGroup(of: Bool.self) { group in
      for number in 0..<50 {
        group.addTask {
          await code { _ = try await store.accept(StoreRecords.task(number)) } == nil
        }
      }
      group.addTask {
        try await store.close()
        return true
      }
      return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
    }
    #expect(outcomes >= 1)
    try await store.close()
    #expect(await code { _ = try await store.accept(StoreRecords.task(1)) } == .closed)
    #expect(await code { try await store.record(.requeued, for: StoreRecords.taskID(1)) } == .closed)
    #expect(await code { _ = try await store.task(StoreRecords.taskID(1)) } == .closed)
    #expect(await code { _ = try await store.unfinishedTasks() } == .closed)
    #expect(await code { _ = try await store.recentTasks(limit: 1) } == .closed)
    #expect(await code { _ = try await store.deleteTasks(finishedBefore: 1) } == .closed)
    #expect(await code { _ = try await store.record(StoreRecords.signedDigest(task: 1, digest: 1), output: []) } == .closed)
    #expect(await code { _ = try await store.finish(StoreRecords.signedTask(1, digest: 1)) } == .closed)
    #expect(await code { try await store.save(performer) } == .closed)
    #expect(await code { try await store.deletePerformer(id: "x") } == .closed)
    #expect(await code { _ = try await store.performers() } == .closed)
    #expect(await code { _ = try await store.installationID() } == .closed)
    #expect(await code { try await store.compact() } == .closed)
    #expect(await code { try await store.tryToWrite() } == .closed)
    #expect(await code { _ = try await store.check() } == .closed)
    #expect(await code { _ = try await store.signedDigest(of: StoreRecords.taskID(1)) } == .closed)
    #expect(await code { _ = try await store.deleteDigests(recordedBefore: 1) } == .closed)
    #expect(await code { try await store.replaceResult(of: StoreRecords.taskID(1), by: []) } == .closed)
  }

  /// The code `body` throws; nil when it does not throw.
  private static func code(_ body: @Sendable () async throws -> Void) async -> StoreError.Code? {
    do {
      try await body()
      return nil
    } catch let error as StoreError {
      return error.code
    } catch {
      Issue.record(error, "a store throws StoreError only")
      return nil
    }
  }
}
