import Foundation
import PonosAPI
import PonosCore
import PonosExecutor
import SwiftProtobuf

/// A start after a kill: opening the store and bringing every unfinished task back into the queue, which is all that stands between
/// the process and its intake. The floor reads the same rows by SQLite's C interface and forgets them.
enum RecoveryBenchmarks {
  private static let tasks = 100_000
  private static let payloadBytes = 1024
  private static let avs = EthereumAddress(unchecked: [UInt8](repeating: 0x22, count: 20))
  private static let executor = EthereumAddress(unchecked: [UInt8](repeating: 0x11, count: 20))

  static func measure(rounds: Int, report: (Outcome) -> Void) async throws {
    let workspace = try Workspace()
    let path = workspace.path("executor.sqlite")
    try await fill(path)
    let killed = workspace.path("killed.sqlite")
    let comparison = Comparison(
      group: "recovery", title: "From the open to the last task in the queue, each round on files as a kill leaves them",
      figure: .time,
      contenders: [
        Contender("read of the same rows, SQLite C interface") { _ in
          try copy(path, to: killed)
          return try timed { try RawSQLiteRows.read(killed) }
        },
        Contender("SQLiteStore and StateRecovery") { _ in
          try copy(path, to: killed)
          return try await recover(killed)
        },
      ])
    report(try await comparison.measure(rounds: rounds, seconds: 0))
  }

  /// Leaves the files at `path` as a kill would, part of the tasks in the write-ahead log alone.
  private static func fill(_ path: String) async throws {
    let building = path + ".building"
    let store = try SQLiteStore.open(path: building)
    let now = UnixMilliseconds(Date().timeIntervalSince1970 * 1000)
    for _ in 0..<tasks / 250 {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<250 { group.addTask { _ = try await store.accept(try record(acceptedAt: now)) } }
        try await group.waitForAll()
      }
    }
    try copy(building, to: path)
    try await store.close()
  }

  private static func copy(_ path: String, to target: String) throws {
    for suffix in ["", "-wal", "-shm", ".lock"] where FileManager.default.fileExists(atPath: target + suffix) {
      try FileManager.default.removeItem(atPath: target + suffix)
    }
    for suffix in ["", "-wal"] where FileManager.default.fileExists(atPath: path + suffix) {
      try FileManager.default.copyItem(atPath: path + suffix, toPath: target + suffix)
    }
    // A kill leaves what was synchronized long before; the first commit must not pay for the copy.
    sync()
  }

  private static func record(acceptedAt: UnixMilliseconds) throws -> AcceptedTaskRecord {
    let id = TaskID(unchecked: UniqueID.next())
    let submission = TaskSubmission(
      id: id, idText: id.description, aggregator: avs, operatorSet: OperatorSet(avs: avs, id: 0), executor: executor,
      payload: [UInt8](repeating: 0x5a, count: payloadBytes), signature: [UInt8](repeating: 0x33, count: 65),
      referenceTimestamp: 1, taskBlockNumber: 1, version: 1)
    return AcceptedTaskRecord(
      id: id, contentHash: Digest32(unchecked: id.bytes), submission: try submission.wire.serializedBytes(),
      operatorSet: submission.operatorSet, aggregator: avs, priority: 0, acceptedAt: acceptedAt,
      deadline: acceptedAt + 24 * 3600 * 1000)
  }

  private static func recover(_ path: String) async throws -> Round {
    let start = Clock.now
    let cpu = Clock.processCPU
    let store = try SQLiteStore.open(path: path)
    let queue = try await RecoveryRig.recover(from: store, avs: avs, executor: executor)
    let round = Round(operations: tasks, wall: Clock.now - start, cpu: Clock.processCPU - cpu)
    guard queue.depths[avs] == tasks else {
      throw SystemFailure("recover", reason: "\(queue.depths[avs] ?? 0) of \(tasks) tasks are in the queue")
    }
    try await store.close()
    return round
  }

  private static func timed(_ body: () throws -> Int) throws -> Round {
    let start = Clock.now
    let cpu = Clock.processCPU
    let count = try body()
    guard count == tasks else { throw SystemFailure("read the rows", reason: "\(count) of \(tasks) were there") }
    return Round(operations: count, wall: Clock.now - start, cpu: Clock.processCPU - cpu)
  }
}
