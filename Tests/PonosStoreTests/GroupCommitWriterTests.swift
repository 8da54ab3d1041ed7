import Foundation
import GRDB
@testable import PonosStore
import PonosStoreTesting
import PonosTesting
import Synchronization
import Testing

@Suite struct GroupCommitWriterTests {
  private let directory: TemporaryDirectory
  private let pool: DatabasePool

  init() throws {
    directory = try TemporaryDirectory()
    pool = try DatabasePool(path: directory.file("writer.sqlite"), configuration: Self.configuration)
    try pool.write { database in
      try database.execute(
        sql: """
          CREATE TABLE item (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES item DEFERRABLE INITIALLY DEFERRED);
          """)
    }
  }

  private static var configuration: GRDB.Configuration {
    var configuration = GRDB.Configuration()
    configuration.allowsUnsafeTransactions = true
    return configuration
  }

  @Test func concurrentWritersShareCommits() async throws {
    let reports = Mutex<[CommitReport]>([])
    let store = try SQLiteStore.open(path: directory.file("store.sqlite")) { report in reports.withLock { $0.append(report) } }
    let (writers, each) = (64, 20)
    try await withThrowingTaskGroup { group in
      for writer in 0..<writers {
        group.addTask {
          for index in 0..<each {
            let outcome = try await store.accept(StoreRecords.task(writer * each + index))
            #expect(outcome.isAccepted)
          }
        }
      }
      try await group.waitForAll()
    }
    let statistics = store.statistics
    #expect(statistics.writes == UInt64(writers * each))
    #expect(statistics.commits < statistics.writes / 8)
    #expect(reports.withLock { $0.reduce(0) { $0 + $1.writes } } == writers * each)
    #expect(try await store.unfinishedTasks().count == writers * each)
    try await store.close()
  }

  @Test func aLoneWriteIsNotHeldBack() async throws {
    let writer = GroupCommitWriter(pool: pool)
    for id in 1...20 { try await insert(id, writer) }
    #expect(writer.statistics.commits == 20)
    #expect(writer.statistics.writes == 20)
  }

  @Test("a lone writer never waits for others, however long it might", .timeLimit(.minutes(1)))
  func loneWriterNeverWaitsForOthers() async throws {
    var limits = GroupCommitWriter.Limits()
    limits.gatherTime = .seconds(3600)
    let writer = GroupCommitWriter(pool: pool, limits: limits)
    for id in 1...200 { try await insert(id, writer) }
    #expect(writer.statistics.commits == 200)
  }

  @Test("where many writers come, commits wait for as many as came, and no longer", .timeLimit(.minutes(1)))
  func whereManyWritersCome() async throws {
    var limits = GroupCommitWriter.Limits()
    // Commits that all waited for so long would take ten times the time limit.
    limits.gatherTime = .seconds(3)
    let writer = GroupCommitWriter(pool: pool, limits: limits)
    let (members, turns) = (32, 200)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for member in 0..<members {
        group.addTask {
          for turn in 0..<turns { try await insert(1 + member * turns + turn, writer) }
        }
      }
      try await group.waitForAll()
    }
    #expect(writer.statistics.writes == UInt64(members * turns))
    #expect(writer.statistics.commits <= UInt64(turns * 2))
  }

  @Test("where the writers that were expected stay away, a commit waits for them once", .timeLimit(.minutes(1)))
  func whereWritersThatWereExpectedStayAway() async throws {
    var limits = GroupCommitWriter.Limits()
    limits.gatherTime = .milliseconds(1)
    let writer = GroupCommitWriter(pool: pool, limits: limits)
    _ = try await inOneBatch(writer, count: 32) { id throws(StoreError) in try await insert(id, writer) }
    for id in 101...110 { try await insert(id, writer) }
    #expect(writer.statistics.commits == 12)
    var gathering = CommitGathering()
    gathering.committed(30, arrivedMeanwhile: 4, at: .now)
    #expect(gathering.expected == 34 && gathering.isExpected(within: .seconds(60)))
    gathering.committed(1, arrivedMeanwhile: 0, at: .now)
    #expect(gathering.expected == 0 && !gathering.isExpected(within: .seconds(60)))
    gathering.committed(1, arrivedMeanwhile: 2, at: .now)
    #expect(!gathering.isExpected(within: .seconds(60)), "three are not worth a wait")
    gathering.committed(20, arrivedMeanwhile: 0, at: .now - .seconds(1))
    #expect(!gathering.isExpected(within: .milliseconds(5)), "they were here too long ago")
  }

  @Test("a write that nobody waits for begins no transaction, and is made when the store closes at the latest")
  func writeThatNobodyWaitsForBeginsNoTransaction() async throws {
    let writer = GroupCommitWriter(pool: pool)
    for id in 1...5 {
      writer.post("post", onFailure: { Issue.record("\($0)") }) {
        try $0.database.execute(sql: "INSERT INTO item (id) VALUES (?)", arguments: [id])
      }
    }
    #expect(writer.statistics.pending == 5 && writer.statistics.commits == 0)
    try await insert(6, writer)
    #expect(writer.statistics.commits == 1)
    writer.post("post", onFailure: { Issue.record("\($0)") }) {
      try $0.database.execute(sql: "INSERT INTO item (id) VALUES (7)")
    }
    await writer.close()
    #expect(try await storedIDs() == Array(1...7))
    #expect(writer.statistics.commits == 2)
  }

  @Test func aFailingWriteDoesNotFailItsNeighbours() async throws {
    let writer = GroupCommitWriter(pool: pool)
    let outcomes = try await inOneBatch(writer, count: 30) { id throws(StoreError) in
      try await writer.write("insert \(id)") { connection in
        try connection.database.execute(sql: "INSERT INTO item (id) VALUES (?)", arguments: [id])
        // Every third writes first and fails then: what it wrote must go, and only that.
        if id % 3 == 0 { try connection.database.execute(sql: "INSERT INTO item (id) VALUES (?)", arguments: [id]) }
      }
    }
    let good = (1...30).filter { $0 % 3 != 0 }
    #expect(Set(outcomes.keys) == Set(1...30).subtracting(good))
    #expect(outcomes.values.allSatisfy { $0.code == .writeFailed && $0.message.contains("insert") })
    #expect(try await storedIDs() == good)
    #expect(writer.statistics.commits == 2)
  }

  @Test func aRefusalAmongOthersChangesNothingAndIsToldExactly() async throws {
    let store = try SQLiteStore.open(path: directory.file("store.sqlite"))
    for number in 1...20 { _ = try await store.accept(StoreRecords.task(number)) }
    try await store.record(.failed(StoredFailure(code: "c", message: "m"), at: 1), for: StoreRecords.taskID(5))
    let codes = try await withThrowingTaskGroup(of: (Int, StoreError.Code?).self) { group in
      for number in 1...30 {
        group.addTask {
          do throws(StoreError) {
            try await store.record(.signed(result: [UInt8(number)], at: 2), for: StoreRecords.taskID(number))
            return (number, nil)
          } catch {
            return (number, error.code)
          }
        }
      }
      return try await group.reduce(into: [Int: StoreError.Code]()) { $0[$1.0] = $1.1 }
    }
    let unknown = Dictionary(uniqueKeysWithValues: (21...30).map { ($0, StoreError.Code.unknownTask) })
    #expect(codes == unknown.merging([5: .finishedTask]) { $1 })
    #expect(try await store.task(StoreRecords.taskID(5))?.phase == .failed)
    for number in 1...20 where number != 5 {
      #expect(try await store.task(StoreRecords.taskID(number))?.result == [UInt8(number)])
    }
    #expect(store.statistics.lastFailure == nil)
    try await store.close()
  }

  @Test func aFailedCommitFailsTheWholeBatchAndChangesNothing() async throws {
    let writer = GroupCommitWriter(pool: pool)
    let outcomes = try await inOneBatch(writer, count: 10) { id throws(StoreError) in
      try await writer.write("insert \(id)") { connection in
        // A parent that does not exist is noticed by the commit only.
        try connection.database.execute(sql: "INSERT INTO item (id, parent) VALUES (?, ?)", arguments: [id, id == 5 ? 999 : nil])
      }
    }
    #expect(outcomes.count == 10)
    #expect(outcomes.values.allSatisfy { $0.code == .writeFailed && $0.message.contains("could not commit") })
    #expect(try await storedIDs() == [])
    #expect(writer.statistics.failedCommits == 1)
    #expect(writer.statistics.lastFailure?.code == .writeFailed)

    try await insert(50, writer)
    #expect(try await storedIDs() == [50])
    #expect(writer.statistics.lastFailure == nil)
  }

  @Test func aCommitThatWroteNothingDoesNotEndAFailure() async throws {
    let writer = GroupCommitWriter(pool: pool)
    await #expect(throws: StoreError.self) {
      try await writer.write("insert") { try $0.database.execute(sql: "INSERT INTO item (id, parent) VALUES (1, 999)") }
    }
    #expect(writer.statistics.lastFailure?.code == .writeFailed)
    try await writer.write("change nothing") { try $0.database.execute(sql: "DELETE FROM item WHERE id = 5") }
    #expect(writer.statistics.lastFailure != nil, "nothing shows that the disk takes writes again")
    try await insert(2, writer)
    #expect(writer.statistics.lastFailure == nil)
  }

  @Test func aDamagedPageIsTheErrorOfTheWriteThatNeedsIt() async throws {
    let writer = GroupCommitWriter(pool: pool)
    await #expect { try await writer.write("read") { _ in throw DatabaseError(resultCode: .SQLITE_CORRUPT) } } throws: {
      ($0 as? StoreError)?.code == .readFailed
    }
    #expect(writer.statistics.lastFailure == nil)
    try await insert(1, writer, kind: .admission)
  }

  @Test func aPostedWriteIsMadeBeforeLaterOnesAndTellsOfItsFailure() async throws {
    let writer = GroupCommitWriter(pool: pool)
    let failures = Mutex<[StoreError]>([])
    for id in [1, 1, 2] {
      writer.post("post \(id)", onFailure: { error in failures.withLock { $0.append(error) } }) { connection in
        try connection.database.execute(sql: "INSERT INTO item (id) VALUES (?)", arguments: [id])
      }
    }
    let seen = try await writer.write("look") { try Int.fetchAll($0.database, sql: "SELECT id FROM item ORDER BY id") }
    #expect(seen == [1, 2])
    #expect(failures.withLock { $0.map(\.code) } == [.writeFailed])
    await writer.close()
  }

  @Test func aFullQueueRefusesNewWorkButNotTheStepsOfOldWork() async throws {
    var limits = GroupCommitWriter.Limits()
    limits.pendingAdmissions = 4
    limits.pendingWrites = 6
    let writer = GroupCommitWriter(pool: pool, limits: limits)
    let gate = try await block(writer)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for id in 1...4 { group.addTask { await expectOutcome(nil, write: id, .admission) } }
      try await eventually { writer.statistics.pending == 4 }
      await expectOutcome(.overloaded, write: 5, .admission)
      for id in 6...7 { group.addTask { await expectOutcome(nil, write: id, .continuation) } }
      try await eventually { writer.statistics.pending == 6 }
      await expectOutcome(.overloaded, write: 8, .continuation)
      gate.open()
    }
    await gate.finished()
    #expect(try await storedIDs() == [1, 2, 3, 4, 6, 7])

    @Sendable func expectOutcome(_ code: StoreError.Code?, write id: Int, _ kind: GroupCommitWriter.Kind) async {
      do throws(StoreError) {
        try await insert(id, writer, kind: kind)
        #expect(code == nil)
      } catch {
        #expect(error.code == code)
      }
    }
  }

  @Test func aBatchIsBoundedInBytes() async throws {
    var limits = GroupCommitWriter.Limits()
    limits.batchBytes = 100
    let writer = GroupCommitWriter(pool: pool, limits: limits)
    _ = try await inOneBatch(writer, count: 10) { id throws(StoreError) in
      try await writer.write("insert \(id)", bytes: id == 1 ? 1000 : 50) { connection in
        try connection.database.execute(sql: "INSERT INTO item (id) VALUES (?)", arguments: [id])
      }
    }
    #expect(try await storedIDs() == Array(1...10))
    // The gate, the large one, and nine more in twos: at least five batches, whichever order they came in.
    #expect(writer.statistics.commits >= 1 + 1 + 5)
  }

  @Test func closeWaitsForWhatWasQueued() async throws {
    let writer = GroupCommitWriter(pool: pool)
    let gate = try await block(writer)
    try await withThrowingTaskGroup { group in
      for id in 1...10 { group.addTask { try await insert(id, writer) } }
      try await eventually { writer.statistics.pending == 10 }
      group.addTask { await writer.close() }
      gate.open()
      try await group.waitForAll()
    }
    await gate.finished()
    #expect(try await storedIDs() == Array(1...10))
    await #expect(throws: StoreError.self) { try await insert(11, writer) }
  }

  // MARK: Tools

  private func insert(
    _ id: Int, _ writer: GroupCommitWriter, kind: GroupCommitWriter.Kind = .continuation
  ) async throws(StoreError) {
    try await writer.write("insert \(id)", kind: kind) { connection in
      try connection.database.execute(sql: "INSERT INTO item (id) VALUES (?)", arguments: [id])
    }
  }

  private func storedIDs() async throws -> [Int] {
    try await pool.read { try Int.fetchAll($0, sql: "SELECT id FROM item ORDER BY id") }
  }

  /// Runs `write` for 1...count at the same time while the connection is busy, so that they wait together; returns what those threw that failed.
  private func inOneBatch(
    _ writer: GroupCommitWriter, count: Int, _ write: @escaping @Sendable (Int) async throws(StoreError) -> Void
  ) async throws -> [Int: StoreError] {
    let gate = try await block(writer)
    let outcomes = try await withThrowingTaskGroup(of: (Int, StoreError?).self) { group in
      for id in 1...count {
        group.addTask {
          do throws(StoreError) {
            try await write(id)
            return (id, nil)
          } catch {
            return (id, error)
          }
        }
      }
      try await eventually { writer.statistics.pending == count }
      gate.open()
      return try await group.reduce(into: [Int: StoreError]()) { $0[$1.0] = $1.1 }
    }
    await gate.finished()
    return outcomes
  }

  /// Occupies the writer with a write that does nothing until the gate is opened.
  private func block(_ writer: GroupCommitWriter) async throws -> ThreadGate {
    let gate = ThreadGate()
    gate.task.withLock { task in
      task = Task { try await writer.write("wait") { _ in gate.pass() } }
    }
    try await eventually { gate.isEntered }
    return gate
  }
}

/// Holds up a thread until it is opened.
private final class ThreadGate: Sendable {
  let task = Mutex<Task<Void, any Error>?>(nil)
  private let entered = Atomic(false)
  private let semaphore = DispatchSemaphore(value: 0)

  var isEntered: Bool { entered.load(ordering: .acquiring) }

  func pass() {
    entered.store(true, ordering: .releasing)
    semaphore.wait()
  }

  func open() { semaphore.signal() }

  func finished() async {
    let task = task.withLock { $0 }
    let result = await task?.result
    if case .failure(let error) = result { Issue.record(error) }
  }
}
