import Foundation
import PonosCore
import PonosStore

/// Making accepted tasks durable, one at a time and for many callers at once.
enum JournalBenchmarks {
  /// About what a submission with a payload of 100 bytes takes in protobuf encoding.
  private static let submissionBytes = 400

  static func measure(rounds: Int, seconds: Double, report: (Outcome) -> Void) async throws {
    let databases = try Workspace()
    let redis = try RedisServer(in: databases)
    let postgreSQL = try await PostgreSQLServer(in: databases, recordBytes: submissionBytes)
    for writers in [1, 64] {
      let workspace = try Workspace()
      let clients = try (0..<writers).map { _ in try redis.client(recordBytes: submissionBytes) }
      let file = try RawFileJournal(path: workspace.path("raw"), bytes: submissionBytes, count: writers)
      let database = try RawSQLiteJournal(path: workspace.path("raw.sqlite"), bytes: submissionBytes)
      let sqlite = try SQLiteStore.open(path: workspace.path("executor.sqlite"))
      let memory = MemoryStore()
      let comparison = Comparison(
        group: "journal", title: title(writers), figure: writers == 1 ? .latency : .time,
        contenders: [
          looping("write and fdatasync of \(writers) × \(submissionBytes) bytes", count: writers) { try file.append() },
          looping("SQLite C interface, \(writers) rows a transaction", count: writers) { try database.insert(writers) },
          .calling("SQLiteStore.accept", callers: writers) { _ in _ = try await sqlite.accept(task()) },
          .calling("MemoryStore.accept", callers: writers) { _ in _ = try await memory.accept(task()) },
          .blocking("Redis, appendfsync always", callers: writers, cpu: redis.process.cpu) { try clients[$0].append() },
          postgreSQL.contender(callers: writers),
        ])
      report(try await comparison.measure(rounds: rounds, seconds: seconds))
      try await sqlite.close()
    }
  }

  private static func title(_ writers: Int) -> String {
    writers == 1 ? "One writer" : "\(writers) concurrent writers"
  }

  /// A floor: `step` writes `count` records, and each of them waited as long as the step took.
  private static func looping(_ name: String, count: Int, _ step: @escaping () throws -> Void) -> Contender {
    Contender(name) { seconds in
      let start = Clock.now
      let cpu = Clock.processCPU
      var latencies: [Double] = []
      var now = start
      repeat {
        let begin = now
        try step()
        now = Clock.now
        latencies.append(now - begin)
      } while now - start < seconds
      return Round(
        operations: latencies.count * count, wall: now - start, cpu: Clock.processCPU - cpu, latencies: latencies)
    }
  }

  /// A task never seen before, with an id as random as a hash.
  private static func task() -> AcceptedTaskRecord {
    let avs = EthereumAddress(unchecked: [UInt8](repeating: 0x22, count: 20))
    return AcceptedTaskRecord(
      id: TaskID(unchecked: UniqueID.next()),
      contentHash: Digest32(unchecked: [UInt8](repeating: 0x33, count: 32)),
      submission: [UInt8](repeating: 0x5a, count: submissionBytes),
      operatorSet: OperatorSet(avs: avs, id: 1), aggregator: avs, priority: 0, acceptedAt: 1, deadline: 2)
  }
}
