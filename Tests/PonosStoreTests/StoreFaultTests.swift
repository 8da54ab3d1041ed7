import CFaultyVFS
import Foundation
import Logging
import PonosCore
import PonosStoreTesting
import PonosTesting
import Synchronization
import Testing

@testable import PonosStore
@testable import PonosSystem

/// Every write, synchronisation and truncation of a store's life fails once: what was promised before is there, what was refused is
/// not half there, and the store goes on.
@Suite(.serialized) struct StoreFaultTests {
  /// An operation that fails, and how.
  struct Fault: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let kind: Int
    /// What SQLite is told: its extended result codes for I/O errors, or 13 for a full disk.
    let result: Int32
    /// Half of what a failing write brings reaches the file.
    var isTorn = false

    static let all = [
      Fault(testDescription: "write", kind: Int(FAULTY_WRITE), result: 10 | 3 << 8),
      Fault(testDescription: "write, torn", kind: Int(FAULTY_WRITE), result: 10 | 3 << 8, isTorn: true),
      Fault(testDescription: "write, disk full", kind: Int(FAULTY_WRITE), result: 13),
      Fault(testDescription: "fsync", kind: Int(FAULTY_SYNC), result: 10 | 4 << 8),
      Fault(testDescription: "truncate", kind: Int(FAULTY_TRUNCATE), result: 10 | 6 << 8),
    ]
  }

  private let directory: TemporaryDirectory
  private let path: String

  init() throws {
    directory = try TemporaryDirectory(inMemory: true)
    path = directory.file("store.sqlite")
    try #require(faulty_vfs_install() == 0)
  }

  /// The steps of a store's life, each a write or a few.
  private enum Step: CaseIterable {
    case accept, acceptLarge, acceptStreamed, execute, requeue, executeAgain, savePerformer, recordDigest, compact, sign
    case expectDelivery, replaceResult, fail, acknowledge, acceptTogether, finish, deletePerformer, deleteFinished, deleteDigests

    /// Tasks whose acceptances share commits.
    static let together = 5...9

    func take(on store: SQLiteStore) async throws {
      let id = StoreRecords.taskID(1)
      switch self {
      case .acceptStreamed:
        var task = StoreRecords.task(4)
        task.isStreamed = true
        _ = try await store.accept(task)
      case .requeue: try await store.record(.requeued, for: id)
      case .executeAgain: try await store.record(.executing(performerID: "p", attempt: 2), for: id)
      case .expectDelivery: _ = try await store.expectDelivery(of: id, to: StoreRecords.task(1).owner)
      case .replaceResult: try await store.replaceResult(of: id, by: [9, 9])
      case .fail:
        try await store.record(.failed(StoredFailure(code: "c", message: "m"), at: 50), for: StoreRecords.taskID(4))
      case .acknowledge: try await store.acknowledge([id], by: StoreRecords.task(1).owner)
      case .acceptTogether: try await acceptTogether(on: store)
      case .deletePerformer: try await store.deletePerformer(id: StoreRecords.performer(1, createdAt: 1).id)
      case .deleteDigests: _ = try await store.deleteDigests(recordedBefore: .max)
      case .accept: _ = try await store.accept(StoreRecords.task(1))
      case .acceptLarge:
        _ = try await store.accept(StoreRecords.task(2, submission: [UInt8](repeating: 7, count: 20_000)))
      case .execute: try await store.record(.executing(performerID: "p", attempt: 1), for: id)
      case .savePerformer: try await store.save(StoreRecords.performer(1, createdAt: 1))
      case .recordDigest: _ = try await store.record(StoreRecords.signedDigest(task: 1, digest: 1), output: [1, 2, 3])
      case .compact: try await store.compact()
      case .sign: try await store.record(.signed(result: [9], at: 5), for: id)
      case .finish:
        store.recordSoon(.executing(performerID: "p", attempt: 1), for: StoreRecords.taskID(2)) { _ in }
        _ = try await store.finish(StoreRecords.signedTask(2, digest: 2, result: [UInt8](repeating: 8, count: 20_000)))
      case .deleteFinished: _ = try await store.deleteTasks(finishedBefore: 10)
      }
    }

    /// Several at a time: each is told what came of its own write. Throws what one of them was told.
    private func acceptTogether(on store: SQLiteStore) async throws {
      let told = await withTaskGroup(of: (Int, StoreError?).self) { group in
        for number in Self.together {
          group.addTask {
            do throws(StoreError) { _ = try await store.accept(StoreRecords.task(number)) } catch { return (number, error) }
            return (number, nil)
          }
        }
        return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
      }
      for number in Self.together {
        let isThere = try await store.task(StoreRecords.taskID(number)) != nil
        #expect(isThere == (told[number] == nil), "task \(number) was told \(String(describing: told[number]))")
      }
      if let error = told.values.first { throw error }
    }
  }

  /// All that can be read.
  private struct Snapshot: Equatable {
    var tasks: [TaskRecord?] = []
    var unfinished: [TaskID] = []
    var digests: [SignedDigestRecord?] = []
    var performers: [PerformerRecord] = []
    var waiting: [[TaskID]] = []

    init(_ store: SQLiteStore) async throws {
      for number in 1...Step.together.upperBound {
        tasks.append(try await store.task(StoreRecords.taskID(number)))
        digests.append(try await store.signedDigest(of: StoreRecords.taskID(number)))
      }
      unfinished = try await store.unfinishedTasks().map(\.id)
      performers = try await store.performers()
      for number in [1, 4] {
        let page = try await store.deliveries(for: StoreRecords.task(number).owner, excluding: [], limit: 10, bytes: .max)
        waiting.append(page.tasks.map(\.id))
      }
    }

    /// Every task is as in one of the two, and all else as in both.
    func isBetween(_ least: Snapshot, _ most: Snapshot) -> Bool {
      func accepted(_ snapshot: Snapshot) -> [AcceptedTaskRecord?] { snapshot.tasks.map { $0?.accepted } }
      let tasks = zip(accepted(self), zip(accepted(least), accepted(most)))
      return tasks.allSatisfy { $0 == $1.0 || $0 == $1.1 } && digests == most.digests && performers == most.performers
        && waiting == most.waiting
    }

    /// The same, whatever order tasks were accepted in.
    func isLike(_ other: Snapshot) -> Bool {
      var (left, right) = (self, other)
      for index in left.tasks.indices { left.tasks[index]?.sequence = 0 }
      for index in right.tasks.indices { right.tasks[index]?.sequence = 0 }
      (left.unfinished, right.unfinished) = ([], [])
      return left == right && Set(unfinished) == Set(other.unfinished)
    }
  }

  @Test("of a store at work", arguments: Fault.all)
  func ofStoreAtWork(fault: Fault) async throws {
    // What the store holds before the first step and after each, where nothing fails.
    try await SQLiteStore.open(path: path).close()
    let empty = directory.file("empty.sqlite")
    try FileManager.default.copyItem(atPath: path, toPath: empty)
    faulty_vfs_arm(path, Int32(fault.kind), 0, 0, 0, 0)
    var reference: [Snapshot] = []
    let store = try SQLiteStore.open(path: path)
    for step in Step.allCases {
      reference.append(try await Snapshot(store))
      try await step.take(on: store)
    }
    reference.append(try await Snapshot(store))
    try await store.close()
    let operations = faulty_vfs_disarm()
    try #require(operations > 0)
    print("store at work: \(operations) operations of kind '\(fault.testDescription)', each fails in one life")

    for number in 1...operations {
      try removeFiles()
      try FileManager.default.copyItem(atPath: empty, toPath: path)
      do { try await live(fault, number, reference) } catch {
        Issue.record(error, "\(fault.testDescription) number \(number) of \(operations)")
      }
    }
  }

  /// One life in which operation `number` fails.
  private func live(_ fault: Fault, _ number: Int, _ reference: [Snapshot]) async throws {
    faulty_vfs_arm(path, Int32(fault.kind), number, 1, fault.result, fault.isTorn ? 1 : 0)
    defer { faulty_vfs_disarm() }
    let store = try open()
    for (index, step) in Step.allCases.enumerated() {
      do { try await step.take(on: store) } catch let error as StoreError {
        #expect([.writeFailed, .diskFull].contains(error.code), "\(error)")
        try await expectNothingIsAccepted(store)
        // Of writes made together some may be on disk, those at least whose callers were told so.
        let least = step == .acceptTogether ? try await Snapshot(store) : reference[index]
        try await checkAfterKill { found in
          if step == .acceptTogether { return found.isBetween(least, reference[index + 1]) }
          return found.isLike(least) || found.isLike(reference[index + 1])
        }
        // What the daemon does: a trial write, then the write that was refused once more.
        try await store.tryToWrite()
        #expect(store.statistics.lastFailure == nil)
        try await step.take(on: store)
      }
      let now = try await Snapshot(store)
      #expect(now.isLike(reference[index + 1]))
    }
    try await checkAfterKill { $0.isLike(reference[Step.allCases.count]) }
    do throws(StoreError) { try await store.close() } catch { #expect(error.code == .writeFailed || error.code == .diskFull) }
    faulty_vfs_disarm()
    let again = try SQLiteStore.open(path: path)
    let after = try await Snapshot(again)
    #expect(after.isLike(reference[Step.allCases.count]))
    #expect(try await again.check().faults == [])
    try await again.close()
  }

  /// A start whose disk fails is refused, and the next one works.
  private func open() throws -> SQLiteStore {
    do throws(StoreError) { return try SQLiteStore.open(path: path) } catch {
      #expect([.cannotOpen, .diskFull, .writeFailed].contains(error.code), "\(error)")
      return try SQLiteStore.open(path: path)
    }
  }

  private func expectNothingIsAccepted(_ store: SQLiteStore) async throws {
    // A compaction that failed has lost nothing and is tried again within the hour.
    guard let failure = store.statistics.lastFailure else { return }
    await #expect { _ = try await store.accept(StoreRecords.task(99)) } throws: {
      ($0 as? StoreError)?.code == failure.code && "\($0)".contains("takes nothing new")
    }
  }

  /// What a process finds that starts on the files as they are now is possible.
  private func checkAfterKill(_ isPossible: (Snapshot) -> Bool) async throws {
    let copy = directory.file("killed/store.sqlite")
    try FileManager.default.createDirectory(atPath: directory.file("killed"), withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory.file("killed")) }
    for suffix in ["", "-wal"] where FileManager.default.fileExists(atPath: path + suffix) {
      try FileManager.default.copyItem(atPath: path + suffix, toPath: copy + suffix)
    }
    let store = try SQLiteStore.open(path: copy)
    let found = try await Snapshot(store)
    #expect(isPossible(found), "\(found)")
    #expect(try await store.check().faults == [])
    try await store.close()
  }

  @Test("a lone acceptance costs one synchronisation, and as many as share a commit cost one together")
  func loneAcceptanceCostsOneSynchronisation() async throws {
    faulty_vfs_arm(path, Int32(FAULTY_SYNC), 0, 0, 0, 0)
    let store = try SQLiteStore.open(path: path)
    // The log begins with the first commit.
    _ = try await store.accept(StoreRecords.task(1))
    faulty_vfs_disarm()
    faulty_vfs_arm(path, Int32(FAULTY_SYNC), 0, 0, 0, 0)
    _ = try await store.accept(StoreRecords.task(2))
    #expect(faulty_vfs_disarm() == 1)
    faulty_vfs_arm(path, Int32(FAULTY_SYNC), 0, 0, 0, 0)
    let before = store.statistics
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 3..<67 { group.addTask { _ = try await store.accept(StoreRecords.task(number)) } }
      try await group.waitForAll()
    }
    let commits = store.statistics.commits - before.commits
    #expect(faulty_vfs_disarm() == Int(commits))
    #expect(commits < 64)
    try await store.close()
  }

  @Test("a task costs two synchronisations and little more than six pages of the log, from its acceptance to its end")
  func costOfATask() async throws {
    let store = try SQLiteStore.open(path: path)
    _ = try await store.accept(StoreRecords.task(1000))
    let before = FileSize.bytes(path + "-wal")
    faulty_vfs_arm(path, Int32(FAULTY_SYNC), 0, 0, 0, 0)
    let count = 50
    for number in 1...count { try await live(number, bytes: 1024, on: store) }
    #expect(faulty_vfs_disarm() == 2 * count)
    let pages = Double(FileSize.bytes(path + "-wal") - before) / Double(count) / (4096 + 24)
    // 6.04 were seen: three pages at the acceptance, two at the end, and what the trees grow by.
    #expect(pages < 6.2, "\(pages) pages a task")
    try await store.close()
  }

  @Test("a large payload is written to the log as it comes and as it goes, and to the file once")
  func costOfALargeTask() async throws {
    let store = try SQLiteStore.open(path: path)
    let (count, bytes) = (12, 256 << 10)
    for number in 1...count { try await live(number, bytes: bytes, on: store) }
    let log = FileSize.bytes(path + "-wal")
    try await store.compact()
    let written = Double(log + FileSize.bytes(path)) / Double(count)
    // 835,829 were seen, 3.19 times the payload.
    #expect(written < 3.2 * Double(bytes) + 5_000, "\(written) bytes a task")
    try await store.close()
  }

  /// Takes a task from its acceptance to its end, with as many bytes in its submission as in its result.
  private func live(_ number: Int, bytes: Int, on store: SQLiteStore) async throws {
    let payload = [UInt8](repeating: 7, count: bytes)
    _ = try await store.accept(StoreRecords.task(number, submission: payload))
    store.recordSoon(.executing(performerID: "p", attempt: 1), for: StoreRecords.taskID(number)) { Issue.record("\($0)") }
    #expect(try await store.finish(StoreRecords.signedTask(number, digest: number, result: payload)) == .recorded)
  }

  @Test(
    "a log that cannot be moved into the database costs no commit, is told once, and is moved once it can be",
    arguments: [Fault.all[2], Fault.all[3]])
  func logThatCannotBeMovedIntoDatabaseCostsNoCommit(fault: Fault) async throws {
    let failures = Atomic(0)
    let log = Collected<String>()
    let store = try SQLiteStore.open(path: path, onCheckpointFailure: { failures.add(1, ordering: .relaxed) })
    faulty_vfs_arm(path, Int32(fault.kind) | Int32(FAULTY_EXACT), 1, .max, fault.result, 0)
    // 20 MB, and it is due after 16 MiB.
    for number in 0..<50 {
      _ = try await store.accept(StoreRecords.task(number, submission: [UInt8](repeating: 1, count: 400_000)))
    }
    #expect(FileSize.bytes(path + "-wal") > 20_000_000)
    let failure = try #require(store.statistics.checkpointFailure)
    #expect(failure.message.contains("could not move the write-ahead log into the database file"))
    #expect(failure.message.contains(fault.result == 13 ? "free some space" : "see the kernel log"))
    #expect(store.statistics.lastFailure == nil && store.statistics.failedCommits == 0)
    #expect(failures.load(ordering: .relaxed) == 1, "not with each commit that follows")
    let standing = StoreCondition().standing(store.statistics)
    #expect(standing.obstacle == nil && standing.warning?.contains(failure.message) == true)

    let trials = StoreProbe(
      store: store, statistics: { store.statistics }, interval: .milliseconds(1),
      logger: Logger(label: "test") { _ in CollectingLogHandler(log) })
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await trials.run() }
      defer { group.cancelAll() }
      try await eventually { failures.load(ordering: .relaxed) > 3 }
      faulty_vfs_disarm()
      try await eventually { log.values.contains { $0.hasPrefix("notice") } }
    }
    #expect(log.values.filter { $0.hasPrefix("error") }.count == 1, "\(log.values)")
    #expect(FileSize.bytes(path) > 20_000_000 && FileSize.bytes(path + "-wal") == 0)
    #expect(StoreCondition().standing(store.statistics) == StoreCondition.Standing())
    try await store.close()
  }

  @Test("the log is moved whenever enough of it has come together, and stays small")
  func logIsMovedWheneverEnoughOfItHasComeTogether() async throws {
    let store = try SQLiteStore.open(path: path)
    for number in 0..<150 {
      _ = try await store.accept(StoreRecords.task(number, submission: [UInt8](repeating: 1, count: 400_000)))
    }
    #expect(FileSize.bytes(path) > 40_000_000 && FileSize.bytes(path + "-wal") < 20_000_000)
    try await store.close()
  }

  @Test("of a store that is made", arguments: Fault.all)
  func ofStoreThatIsMade(fault: Fault) async throws {
    faulty_vfs_arm(path, Int32(fault.kind), 0, 0, 0, 0)
    try await SQLiteStore.open(path: path).close()
    let operations = faulty_vfs_disarm()
    guard operations > 0 else { return }
    print("store that is made: \(operations) operations of kind '\(fault.testDescription)', each fails in one life")
    for number in 1...operations {
      try removeFiles()
      faulty_vfs_arm(path, Int32(fault.kind), number, 1, fault.result, fault.isTorn ? 1 : 0)
      do throws(StoreError) { try await SQLiteStore.open(path: path).close() } catch {
        #expect([.cannotOpen, .diskFull, .writeFailed].contains(error.code), "\(error)")
      }
      faulty_vfs_disarm()
      let store = try SQLiteStore.open(path: path)
      #expect(try await store.accept(StoreRecords.task(1)).isAccepted, "\(fault.testDescription) number \(number)")
      #expect(try await store.check().faults == [])
      try await store.close()
    }
  }

  @Test("of a store that is brought up to date", arguments: Fault.all)
  func ofStoreThatIsBroughtUpToDate(fault: Fault) async throws {
    let earlier = directory.file("earlier.sqlite")
    try await EarlierDatabase.writeVersion6(at: earlier)
    try FileManager.default.copyItem(atPath: earlier, toPath: path)
    faulty_vfs_arm(path, Int32(fault.kind), 0, 0, 0, 0)
    try await SQLiteStore.open(path: path).close()
    let operations = faulty_vfs_disarm()
    guard operations > 0 else { return }
    print("store brought up to date: \(operations) operations of kind '\(fault.testDescription)', each fails in one life")
    for number in 1...operations {
      try removeFiles()
      try FileManager.default.copyItem(atPath: earlier, toPath: path)
      faulty_vfs_arm(path, Int32(fault.kind), number, 1, fault.result, fault.isTorn ? 1 : 0)
      do throws(StoreError) { try await SQLiteStore.open(path: path).close() } catch {
        #expect([.cannotOpen, .diskFull, .writeFailed].contains(error.code), "\(error)")
      }
      faulty_vfs_disarm()
      let store = try SQLiteStore.open(path: path)
      #expect(try await store.unfinishedTasks().map(\.id) == [1, 2].map(StoreRecords.taskID), "\(fault) number \(number)")
      #expect(try await store.task(StoreRecords.taskID(3))?.result == [3, 4])
      #expect(try await store.finish(StoreRecords.signedTask(2, digest: 9)) == .conflict(recorded: StoreRecords.digest(2)))
      #expect(try await store.check().faults == [])
      try await store.close()
    }
  }

  private func removeFiles() throws {
    for suffix in ["", "-wal", "-shm", "-journal", ".lock"] where FileManager.default.fileExists(atPath: path + suffix) {
      try FileManager.default.removeItem(atPath: path + suffix)
    }
  }
}
