import Foundation
import GRDB
import Logging
import PonosCore
import PonosStoreTesting
import PonosTesting
import Testing

@testable import PonosStore
@testable import PonosSystem

/// What only a store on disk does: it comes back as it was, and refuses what it must not open.
@Suite struct SQLiteStoreTests {
  private let directory: TemporaryDirectory
  private let path: String

  init() throws {
    directory = try TemporaryDirectory()
    path = directory.file("store.sqlite")
  }

  // MARK: Reopening

  @Test func everythingIsThereAfterReopening() async throws {
    let first = try SQLiteStore.open(path: path)
    let performer = StoreRecords.performer(1, createdAt: 5)
    for number in 1...3 { _ = try await first.accept(StoreRecords.task(number)) }
    try await first.record(.executing(performerID: "p", attempt: 1), for: StoreRecords.taskID(2))
    try await first.record(.signed(result: [9, 8], at: 77), for: StoreRecords.taskID(3))
    _ = try await first.record(StoreRecords.signedDigest(task: 3, digest: 4), output: [])
    try await first.save(performer)
    let unfinished = try await first.unfinishedTasks()
    let recent = try await first.recentTasks(limit: 10)
    let installation = try await first.installationID()
    try await first.close()

    let second = try SQLiteStore.open(path: path)
    #expect(try await second.unfinishedTasks() == unfinished)
    #expect(try await second.recentTasks(limit: 10) == recent)
    #expect(try await second.task(StoreRecords.taskID(3))?.result == [9, 8])
    #expect(
      try await second.record(StoreRecords.signedDigest(task: 3, digest: 5), output: [])
        == .conflict(recorded: StoreRecords.digest(4)))
    #expect(try await second.performers() == [performer])
    #expect(try await second.installationID() == installation)
    _ = try await second.accept(StoreRecords.task(4))
    #expect(try await second.task(StoreRecords.taskID(4))?.sequence == 4)
    try await second.close()
  }

  @Test func aCopyTakenWithoutClosingHasEveryCommit() async throws {
    let store = try SQLiteStore.open(path: path)
    for number in 1...20 { _ = try await store.accept(StoreRecords.task(number)) }
    let copy = try SQLiteStore.open(path: try copyFiles(named: "copy.sqlite"))
    #expect(try await copy.unfinishedTasks() == store.unfinishedTasks())
    try await copy.close()
    try await store.close()
  }

  /// A power cut can leave the end of the write-ahead log half written: commits before it must not suffer.
  @Test func aTornLogLosesOnlyTheTornCommit() async throws {
    let store = try SQLiteStore.open(path: path)
    for number in 1...20 { _ = try await store.accept(StoreRecords.task(number)) }
    let sizeBefore = try fileSize(path + "-wal")
    _ = try await store.accept(StoreRecords.task(21))
    let sizeAfter = try fileSize(path + "-wal")
    #expect(sizeAfter > sizeBefore)
    for cut in stride(from: sizeBefore, to: sizeAfter, by: 511) {
      let copyPath = try copyFiles(named: "torn-\(cut).sqlite")
      try truncate(copyPath + "-wal", to: cut)
      let copy = try SQLiteStore.open(path: copyPath)
      #expect(try await copy.unfinishedTasks().map(\.id) == (1...20).map(StoreRecords.taskID))
      #expect(try await copy.accept(StoreRecords.task(21)).isAccepted)
      try await copy.close()
    }
    try await store.close()
  }

  @Test func everyFlippedBitInTheLastCommitIsNoticed() async throws {
    let store = try SQLiteStore.open(path: path)
    for number in 1...5 { _ = try await store.accept(StoreRecords.task(number)) }
    let sizeBefore = try fileSize(path + "-wal")
    _ = try await store.accept(StoreRecords.task(6))
    let sizeAfter = try fileSize(path + "-wal")
    for position in stride(from: sizeBefore, to: sizeAfter, by: 1013) {
      let copyPath = try copyFiles(named: "flipped-\(position).sqlite")
      try flipBit(of: copyPath + "-wal", at: position)
      let copy = try SQLiteStore.open(path: copyPath)
      #expect(try await copy.unfinishedTasks().map(\.id) == (1...5).map(StoreRecords.taskID))
      try await copy.close()
    }
    try await store.close()
  }

  // MARK: What is opened

  @Test func filesArePrivate() async throws {
    let nested = directory.file("a/b/store.sqlite")
    let store = try SQLiteStore.open(path: nested)
    _ = try await store.accept(StoreRecords.task(1))
    for name in ["a", "a/b"] { #expect(try mode(directory.file(name)) == 0o700) }
    for suffix in ["", "-wal", "-shm", ".lock"] { #expect(try mode(nested + suffix) == 0o600) }
    try await store.close()
    try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: nested)
    let again = try SQLiteStore.open(path: nested)
    #expect(try mode(nested) == 0o600)
    try await again.close()
  }

  @Test func aSecondDaemonIsRefused() async throws {
    let store = try SQLiteStore.open(path: path)
    let error = try #require(throws: StoreError.self) { try SQLiteStore.open(path: path) }
    #expect(error.code == .locked)
    #expect(error.message.contains("process \(getpid())"))
    _ = try await store.accept(StoreRecords.task(1))
    try await store.close()
    let next = try SQLiteStore.open(path: path)
    #expect(try await next.task(StoreRecords.taskID(1)) != nil)
    try await next.close()
  }

  @Test func anotherProgramsDatabaseIsRefusedAndNotTouched() throws {
    let queue = try DatabaseQueue(path: path)
    try queue.write { try $0.execute(sql: "CREATE TABLE wallet (id INTEGER PRIMARY KEY)") }
    try queue.close()
    let before = try Data(contentsOf: URL(fileURLWithPath: path))
    let error = try #require(throws: StoreError.self) { try SQLiteStore.open(path: path) }
    #expect(error.code == .cannotOpen)
    #expect(error.message.contains("another program"))
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
  }

  @Test func aFileThatIsNoDatabaseIsRefusedAndNotTouched() throws {
    let text = Data(String(repeating: "operator: {}\n", count: 400).utf8)
    try text.write(to: URL(fileURLWithPath: path))
    let error = try #require(throws: StoreError.self) { try SQLiteStore.open(path: path) }
    #expect(error.code == .cannotOpen)
    #expect(error.message.contains("not a SQLite database"))
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == text)
  }

  @Test func aDatabaseOfALaterVersionIsRefused() async throws {
    try await SQLiteStore.open(path: path).close()
    let queue = try DatabaseQueue(path: path)
    try await queue.write { try $0.execute(sql: "PRAGMA user_version = \(SQLiteSchema.version + 1)") }
    try queue.close()
    let error = try #require(throws: StoreError.self) { try SQLiteStore.open(path: path) }
    #expect(error.code == .cannotOpen)
    #expect(error.message.contains("schema version \(SQLiteSchema.version + 1)"))
  }

  @Test func aDirectoryThatCannotBeMadeIsAClearError() throws {
    try Data().write(to: URL(fileURLWithPath: directory.file("file")))
    let error = try #require(throws: StoreError.self) { try SQLiteStore.open(path: directory.file("file/store.sqlite")) }
    #expect(error.code == .cannotOpen)
    #expect(error.message.contains(directory.file("file")))
  }

  /// Each version a release has written opens as the present one, with what was in it.
  @Test(arguments: 0...SQLiteSchema.version) func earlierVersionsAreBroughtUpToDate(version: Int) async throws {
    let queue = try DatabaseQueue(path: path)
    try await queue.write { database in
      for migration in SQLiteSchema.migrations.prefix(version) { try migration.apply(database) }
      if version > 0 {
        try database.execute(sql: "PRAGMA application_id = \(SQLiteSchema.applicationID)")
        try database.execute(sql: "PRAGMA user_version = \(version)")
        try database.execute(sql: try #require(Self.contents[version], "add what a database of version \(version) may hold"))
      }
    }
    try queue.close()
    let store = try SQLiteStore.open(path: path)
    let tasks = try await store.unfinishedTasks()
    #expect(tasks.map(\.accepted) == (version == 0 ? [] : [StoreRecords.task(1)]))
    #expect(try await store.accept(StoreRecords.task(2)).isAccepted)
    try await store.close()
    let after = try DatabaseQueue(path: path)
    #expect(try await after.read { try Int.fetchOne($0, sql: "PRAGMA user_version") } == SQLiteSchema.version)
    try after.close()
  }

  /// What an earlier version has written is sealed as it is found.
  @Test func earlierRecordsAreSealed() async throws {
    let queue = try DatabaseQueue(path: path)
    try await queue.write { database in
      for migration in SQLiteSchema.migrations.prefix(3) { try migration.apply(database) }
      try database.execute(
        sql: """
          PRAGMA application_id = \(SQLiteSchema.applicationID);
          PRAGMA user_version = 3;
          \(EarlierDatabase.queuedTask)
          INSERT INTO task SELECT 2, x'\(EarlierDatabase.hex(StoreRecords.taskID(2)))', content_hash, avs, operator_set, aggregator, priority,
            accepted_at, deadline, 'collected', 1, 'p', NULL, NULL, NULL, NULL, x'0102' FROM task WHERE sequence = 1;
          INSERT INTO submission VALUES (2, x'05');
          INSERT INTO task SELECT 3, x'\(EarlierDatabase.hex(StoreRecords.taskID(3)))', content_hash, avs, operator_set, aggregator, priority,
            accepted_at, deadline, 'signed', 1, 'p', 77, NULL, NULL, x'0304', NULL FROM task WHERE sequence = 1;
          INSERT INTO task SELECT 4, x'\(EarlierDatabase.hex(StoreRecords.taskID(4)))', content_hash, avs, operator_set, aggregator, priority,
            accepted_at, deadline, 'failed', 1, 'p', 78, 'performer_error', x'6e6f', NULL, NULL FROM task WHERE sequence = 1;
          INSERT INTO signed_digest VALUES (x'\(EarlierDatabase.hex(StoreRecords.taskID(3)))', x'\(EarlierDatabase.hex(StoreRecords.address(1)))', 1,
            'ecdsa', x'\(EarlierDatabase.hex(StoreRecords.digest(3)))', 5);
          """)
    }
    try queue.close()
    let store = try SQLiteStore.open(path: path)
    #expect(try await store.check().faults == [])
    #expect(try await store.task(StoreRecords.taskID(2))?.output == [1, 2])
    #expect(try await store.task(StoreRecords.taskID(3))?.result == [3, 4])
    #expect(try await store.task(StoreRecords.taskID(4))?.failure == StoredFailure(code: "performer_error", message: "no"))
    #expect(try await store.signedDigest(of: StoreRecords.taskID(3))?.digest == StoreRecords.digest(3))
    #expect(try await store.unfinishedTasks().map(\.id) == [1, 2].map(StoreRecords.taskID))
    try await store.close()
  }

  /// The version that made the tables of tasks anew brings everything along, and what it changes shows nowhere.
  @Test func tablesMadeAnewKeepEverything() async throws {
    let owner = StoreRecords.task(1).owner
    try await EarlierDatabase.writeVersion6(at: path)
    let store = try SQLiteStore.open(path: path)
    #expect(try await store.check().faults == [])
    #expect(try await store.task(StoreRecords.taskID(2))?.output == [1, 2])
    #expect(try await store.task(StoreRecords.taskID(3))?.result == [3, 4])
    #expect(try await store.unfinishedTasks().map(\.id) == [1, 2].map(StoreRecords.taskID))
    #expect(try await store.unfinishedTasks().map(\.hasDigest) == [false, true])
    let waiting = try await store.deliveries(for: owner, excluding: [], limit: 9, bytes: .max)
    #expect(waiting.tasks.map(\.id) == [StoreRecords.taskID(3)])
    // The outcome of task 1 waits as well, once there is one.
    _ = try await store.finish(StoreRecords.signedTask(1, digest: 1, at: 90))
    let more = try await store.deliveries(for: owner, excluding: [], limit: 9, bytes: .max)
    #expect(more.tasks.map(\.id) == [3, 1].map(StoreRecords.taskID))
    #expect(try await store.finish(StoreRecords.signedTask(2, digest: 9)) == .conflict(recorded: StoreRecords.digest(2)))
    #expect(try await store.accept(StoreRecords.task(8)) == .accepted(sequence: 41), "numbers go on where they were")
    #expect(try await store.deleteTasks(finishedBefore: 78) == 1)
    #expect(try await store.signedDigest(of: StoreRecords.taskID(3))?.digest == StoreRecords.digest(3))
    #expect(try await store.accept(StoreRecords.task(3)) == .accepted(sequence: 42, hasDigest: true))
    try await store.close()
  }

  @Test("retention finds what is past it among many, keeps every digest, and gives no sequence number again")
  func retentionOfMany() async throws {
    let count = 12_000
    try await SQLiteStore.open(path: path).close()
    let queue = try DatabaseQueue(path: path)
    // Every thousandth is unfinished, every seventh ended late; each was accepted at the time that is its number.
    try await queue.write { database in
      try database.execute(
        sql: """
          WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ?)
          INSERT INTO task (sequence, id, content_hash, avs, operator_set, aggregator, priority, accepted_at, deadline, phase, attempt,
            finished_at, digest_curve, digest, digest_seal)
          SELECT n, randomblob(32), zeroblob(32), zeroblob(20), 1, zeroblob(20), 0, n, n, 'signed', 1,
            CASE WHEN n % 1000 = 0 THEN NULL WHEN n % 7 = 0 THEN n + 100000 ELSE n + 5 END, 'ecdsa', zeroblob(32), zeroblob(16)
          FROM number
          """, arguments: [count])
    }
    try queue.close()
    let store = try SQLiteStore.open(path: path)
    let old = (1...count).count { $0 % 1000 != 0 && $0 % 7 != 0 && $0 + 5 < 8000 }
    #expect(try await store.deleteTasks(finishedBefore: 8000) == old)
    #expect(try await store.deleteTasks(finishedBefore: 8000) == 0)
    let late = (1...count).count { $0 % 1000 != 0 && $0 % 7 == 0 }
    let young = (1...count).count { $0 % 1000 != 0 && $0 % 7 != 0 && $0 + 5 >= 8000 }
    #expect(try await store.deleteTasks(finishedBefore: .max) == late + young)
    try await store.close()
    let after = try DatabaseQueue(path: path)
    let (tasks, digests) = try await after.read {
      (try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM task"), try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM signed_digest"))
    }
    #expect(tasks == count / 1000 && digests == count - count / 1000)
    try after.close()
    let again = try SQLiteStore.open(path: path)
    #expect(try await again.accept(StoreRecords.task(1)) == .accepted(sequence: Int64(count) + 1))
    try await again.close()
  }

  /// A copy of a database that has not been brought up to date is checked as thoroughly as before.
  @Test func earlierVersionsAreCheckedRecordByRecord() async throws {
    try await EarlierDatabase.writeVersion6(at: path)
    #expect(try StoreVerification.run(path: path).faults == [])
    let queue = try DatabaseQueue(path: path)
    try await queue.write { try $0.execute(sql: "UPDATE task SET result = x'0305' WHERE sequence = 3") }
    try queue.close()
    #expect(try StoreVerification.run(path: path).count == 1)
    let before = try Data(contentsOf: URL(fileURLWithPath: path))
    _ = try StoreVerification.run(path: path)
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
  }

  /// SQL that fills a database of each version with task 1.
  private static let contents: [Int: String] = [
    1: EarlierDatabase.queuedTask, 2: EarlierDatabase.queuedTask, 3: EarlierDatabase.queuedTask, 4: EarlierDatabase.queuedTask,
    5: EarlierDatabase.sealedTask, 6: EarlierDatabase.streamedTask, 7: EarlierDatabase.streamedTask,
  ]

  @Test("compaction waits for no reader, and no writer waits for it")
  func compactionBesideAReader() async throws {
    let store = try SQLiteStore.open(path: path)
    _ = try await store.accept(StoreRecords.task(1))
    var configuration = GRDB.Configuration()
    configuration.allowsUnsafeTransactions = true
    let reader = try DatabaseQueue(path: path, configuration: configuration)
    try await reader.writeWithoutTransaction { database in
      try database.execute(sql: "BEGIN; SELECT COUNT(*) FROM task")
    }
    _ = try await store.accept(StoreRecords.task(2))
    let start = ContinuousClock.now
    async let compaction: Void = store.compact()
    _ = try await store.accept(StoreRecords.task(3))
    try await compaction
    // SQLite would wait for five seconds.
    #expect(ContinuousClock.now - start < .seconds(3))
    #expect(FileSize.bytes(path + "-wal") > 0)
    try await reader.writeWithoutTransaction { try $0.execute(sql: "COMMIT") }
    try await store.compact()
    #expect(FileSize.bytes(path + "-wal") == 0)
    try reader.close()
    try await store.close()
  }

  // MARK: Damage and exhaustion

  @Test(
    "a changed column is noticed",
    arguments: [
      "content_hash = x'00'", "content_hash = NULL", "avs = zeroblob(20)", "operator_set = -1", "operator_set = 1 << 40",
      "aggregator = zeroblob(20)", "priority = 9", "accepted_at = 1", "deadline = 'x'", "seal = NULL", "phase = 'gone'",
      "phase = 'signed'", "finished_at = 5", "attempt = 'x'",
    ])
  func aDamagedRowIsAnErrorAndNotAWrongRecord(change: String) async throws {
    let store = try SQLiteStore.open(path: path)
    _ = try await store.accept(StoreRecords.task(1))
    try await store.close()
    let queue = try DatabaseQueue(path: path)
    try await queue.writeWithoutTransaction { database in
      // Types are checked on the way in, and disks do not ask.
      try database.execute(
        sql: """
          PRAGMA writable_schema = ON;
          UPDATE sqlite_master SET sql = replace(replace(sql, 'STRICT', ''), 'NOT NULL', '') WHERE name = 'task';
          PRAGMA writable_schema = RESET;
          """)
      try database.execute(sql: "UPDATE task SET \(change)")
    }
    try queue.close()
    let damaged = try SQLiteStore.open(path: path)
    await #expect { _ = try await damaged.task(StoreRecords.taskID(1)) } throws: { ($0 as? StoreError)?.code == .damaged }
    #expect(try await damaged.check().count == 1)
    try await damaged.close()
  }

  @Test("what came of a task is told apart from what it is", arguments: TaskPhase.allCases)
  func whatCameOfTaskIsToldApartFromWhatItIs(phase: TaskPhase) async throws {
    let store = try SQLiteStore.open(path: path)
    let id = StoreRecords.taskID(1)
    _ = try await store.accept(StoreRecords.task(1))
    if phase == .collected { _ = try await store.record(StoreRecords.signedDigest(task: 1, digest: 1), output: [7, 7]) }
    if phase == .signed { try await store.record(.signed(result: [7, 7], at: 9), for: id) }
    if phase == .failed { try await store.record(.failed(StoredFailure(code: "a", message: "b"), at: 9), for: id) }
    let intact = try #require(try await store.task(id))
    #expect(intact.damage == nil)
    try await store.close()
    let queue = try DatabaseQueue(path: path)
    try await queue.write { database in
      try database.execute(sql: "UPDATE task SET output = x'0707ff', result = x'0707ff', failure_message = x'63'")
    }
    try queue.close()
    let damaged = try SQLiteStore.open(path: path)
    let record = try #require(try await damaged.task(id))
    let expected: RecordDamage? =
      switch phase {
      case .queued, .executing: nil
      case .collected: .output
      case .signed, .failed: .outcome
      }
    #expect(record.damage == expected)
    #expect(record.output == nil)
    #expect(record.result == nil || record.damage == .outcome, "nobody takes a damaged result for an answer")
    #expect(try await damaged.check().isIntact == (expected == nil))
    try await damaged.close()
  }

  @Test func aDamagedRowCostsTheRecoveryItselfAlone() async throws {
    let store = try SQLiteStore.open(path: path)
    for number in 1...5 { _ = try await store.accept(StoreRecords.task(number)) }
    try await store.close()
    let queue = try DatabaseQueue(path: path)
    try await queue.write { database in
      try database.execute(sql: "UPDATE task SET deadline = deadline + 1 WHERE sequence = 2")
      try database.execute(sql: "UPDATE submission SET bytes = x'00' WHERE sequence = 3")
      try database.execute(sql: "DELETE FROM submission WHERE sequence = 4")
    }
    try queue.close()
    let damaged = try SQLiteStore.open(path: path)
    let page = try await damaged.unfinishedTasks(in: 0...10)
    #expect(page.tasks.map(\.id) == [1, 5].map(StoreRecords.taskID))
    #expect(page.damaged.map(\.code) == [.damaged, .damaged, .damaged])
    try await damaged.close()
  }

  @Test(.enabled(if: SmallDisk.isAvailable, "needs the right to mount a tmpfs"))
  func aFullDiskRefusesAndHeals() async throws {
    let disk = try SmallDisk(at: directory.file("disk"), bytes: 2 << 20)
    let store = try SQLiteStore.open(path: disk.path + "/store.sqlite")
    let (accepted, failure) = try await fill(store)
    #expect(failure?.code == .diskFull)
    #expect(store.statistics.lastFailure?.code == .diskFull)
    #expect(try await store.unfinishedTasks().map(\.id) == accepted)

    for id in accepted.dropFirst(2) { try await makeRoom(id, in: store, disk) }
    #expect(try await store.accept(StoreRecords.task(200)).isAccepted)
    #expect(store.statistics.lastFailure == nil)
    try await store.close()
  }

  @Test(
    "a full disk takes nothing in, and when there is room again that is found out without anybody's help",
    .enabled(if: SmallDisk.isAvailable, "needs the right to mount a tmpfs"), .timeLimit(.minutes(1)))
  func aFullDiskHealsByItself() async throws {
    let disk = try SmallDisk(at: directory.file("disk"), bytes: 2 << 20)
    let store = try SQLiteStore.open(path: disk.path + "/store.sqlite")
    let (accepted, _) = try await fill(store)
    let writes = store.statistics.writes
    // Small enough for what room there is, and refused all the same.
    await #expect { _ = try await store.accept(StoreRecords.task(300)) } throws: {
      ($0 as? StoreError)?.code == .diskFull && "\($0)".contains("takes nothing new")
    }
    #expect(store.statistics.writes == writes, "the refusal cost no write")
    let trials = StoreProbe(
      store: store, statistics: { store.statistics }, interval: .milliseconds(20),
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await trials.run() }
      let failed = store.statistics.failedCommits
      try await eventually { store.statistics.failedCommits > failed + 2 }
      #expect(store.statistics.lastFailure != nil, "trials fail while the disk is full")
      try disk.resize(bytes: 16 << 20)
      try await eventually { store.statistics.lastFailure == nil }
      group.cancelAll()
    }
    #expect(try await store.accept(StoreRecords.task(301)).isAccepted)
    #expect(try await store.unfinishedTasks().map(\.id) == accepted + [StoreRecords.taskID(301)])
    try await store.close()
  }

  @Test(
    "a database file that cannot grow is told while the log still has room, and is written once there is some",
    .enabled(if: SmallDisk.isAvailable, "needs the right to mount a tmpfs"), .timeLimit(.minutes(1)))
  func aFullDiskUnderTheDatabaseFile() async throws {
    let disk = try SmallDisk(at: directory.file("disk"), bytes: 64 << 20)
    let store = try SQLiteStore.open(path: disk.path + "/store.sqlite")
    // The first 16 MiB are moved, and the log keeps its size; the next task begins it anew. It may get longer by a task or two than it
    // was before it is moved again, the database file by as much as it has now: there is room for the former alone.
    for number in 0..<44 {
      _ = try await store.accept(StoreRecords.task(number, submission: [UInt8](repeating: 1, count: 400_000)))
    }
    try await eventually { FileSize.bytes(disk.path + "/store.sqlite") > 8 << 20 }
    _ = try await store.accept(StoreRecords.task(44))
    try disk.resize(
      bytes: Int(FileSize.bytes(disk.path + "/store.sqlite") + FileSize.bytes(disk.path + "/store.sqlite-wal")) + 2_000_000)
    for number in 45..<100 where store.statistics.checkpointFailure == nil {
      _ = try await store.accept(StoreRecords.task(number, submission: [UInt8](repeating: 1, count: 400_000)))
      // The log is moved behind the answer; this waits until it has been, and writes nothing.
      _ = try await store.accept(StoreRecords.task(44))
    }
    #expect(store.statistics.checkpointFailure?.code == .diskFull)
    #expect(store.statistics.lastFailure == nil)
    try disk.resize(bytes: 128 << 20)
    try await store.compact()
    #expect(store.statistics.checkpointFailure == nil)
    try await store.close()
  }

  /// Accepts tasks of 100 KB until the disk is full; returns those that were accepted.
  private func fill(_ store: SQLiteStore) async throws -> ([TaskID], StoreError?) {
    var accepted: [TaskID] = []
    for number in 0..<100 {
      let task = StoreRecords.task(number, submission: [UInt8](repeating: 1, count: 100_000))
      do throws(StoreError) {
        _ = try await store.accept(task)
        accepted.append(task.id)
      } catch {
        return (accepted, error)
      }
    }
    return (accepted, nil)
  }

  private func makeRoom(_ id: TaskID, in store: SQLiteStore, _ disk: SmallDisk) async throws {
    try disk.resize(bytes: 8 << 20)
    try await store.record(.failed(StoredFailure(code: "a", message: "b"), at: 1), for: id)
  }

  // MARK: Files

  private func copyFiles(named name: String) throws -> String {
    let target = directory.file(name)
    for suffix in ["", "-wal"] { try FileManager.default.copyItem(atPath: path + suffix, toPath: target + suffix) }
    return target
  }

  private func fileSize(_ path: String) throws -> Int {
    try #require(FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
  }

  private func mode(_ path: String) throws -> Int {
    try #require(FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
  }

  private func truncate(_ path: String, to size: Int) throws {
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    try file.truncate(atOffset: UInt64(size))
    try file.close()
  }

  private func flipBit(of path: String, at position: Int) throws {
    var data = try Data(contentsOf: URL(fileURLWithPath: path))
    data[position] ^= 0x10
    try data.write(to: URL(fileURLWithPath: path))
  }
}
