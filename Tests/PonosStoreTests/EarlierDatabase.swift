import Foundation
import GRDB
import PonosCore
import PonosStoreTesting
@testable import PonosStore

/// What earlier versions have written, as SQL.
enum EarlierDatabase {
  /// Writes a database of version 6 with tasks 1 (queued, waited for), 2 (collected) and 3 (signed, waited for), the digests of 2 and
  /// 3, and 40 as the last sequence number given.
  static func writeVersion6(at path: String) async throws {
    let (second, third) = (StoreRecords.taskID(2), StoreRecords.taskID(3))
    let queue = try DatabaseQueue(path: path)
    try await queue.write { database in
      for migration in SQLiteSchema.migrations.prefix(6) { try migration.apply(database) }
      try database.execute(
        sql: """
          PRAGMA application_id = \(SQLiteSchema.applicationID);
          PRAGMA user_version = 6;
          \(streamedTask)
          \(anotherTask(2))
          UPDATE task SET phase = 'collected', output = x'0102', outcome_seal = x'\(Hex.encode(RecordSeals.output([1, 2], of: second)))'
            WHERE sequence = 2;
          INSERT INTO submission VALUES (2, x'05', x'\(Hex.encode(RecordSeals.submission([5], of: second)))');
          \(anotherTask(3))
          INSERT INTO delivery (sequence, aggregator, avs) SELECT sequence, aggregator, avs FROM task WHERE sequence = 3;
          UPDATE task SET phase = 'signed', result = x'0304', finished_at = 77,
            outcome_seal = x'\(Hex.encode(RecordSeals.result([3, 4], at: 77, of: third)))' WHERE sequence = 3;
          \(digest(2))
          \(digest(3))
          UPDATE sqlite_sequence SET seq = 40 WHERE name = 'task';
          """)
    }
    try queue.close()
  }

  /// Like task 1 but for its number, without a submission.
  private static func anotherTask(_ number: Int) -> String {
    var accepted = StoreRecords.task(1)
    accepted.id = StoreRecords.taskID(number)
    return """
      INSERT INTO task (sequence, id, content_hash, avs, operator_set, aggregator, priority, accepted_at, deadline, phase, attempt, seal)
      SELECT \(number), x'\(hex(accepted.id))', content_hash, avs, operator_set, aggregator, priority, accepted_at, deadline,
        'queued', 0, x'\(Hex.encode(RecordSeals.acceptance(of: accepted)))' FROM task WHERE sequence = 1;
      """
  }

  private static func digest(_ number: Int) -> String {
    let record = StoreRecords.signedTask(number, digest: number).digest
    return """
      INSERT INTO signed_digest VALUES (x'\(hex(record.taskID))', x'\(hex(record.operatorSet.avs))', \(record.operatorSet.id),
        '\(record.curve.rawValue)', x'\(hex(record.digest))', \(record.recordedAt), x'\(Hex.encode(RecordSeals.digest(record)))');
      """
  }

  static let queuedTask = """
    INSERT INTO task (id, content_hash, avs, operator_set, aggregator, priority, accepted_at, deadline, phase, attempt)
    VALUES (x'\(hex(StoreRecords.task(1).id))', x'\(hex(StoreRecords.task(1).contentHash))',
      x'\(hex(StoreRecords.task(1).operatorSet.avs))', \(StoreRecords.task(1).operatorSet.id),
      x'\(hex(StoreRecords.task(1).aggregator))', \(StoreRecords.task(1).priority), \(StoreRecords.task(1).acceptedAt),
      \(StoreRecords.task(1).deadline), 'queued', 0);
    INSERT INTO submission (sequence, bytes) VALUES (1, x'\(Hex.encode(StoreRecords.task(1).submission))');
    """

  /// The same with its seals.
  static var sealedTask: String {
    let task = StoreRecords.task(1)
    return queuedTask + """
      UPDATE task SET seal = x'\(Hex.encode(RecordSeals.acceptance(of: task)))';
      UPDATE submission SET seal = x'\(Hex.encode(RecordSeals.submission(task.submission, of: task.id)))';
      """
  }

  /// The same, with an outcome that will wait for its aggregator.
  static var streamedTask: String {
    sealedTask + "INSERT INTO delivery (sequence, aggregator, avs) SELECT sequence, aggregator, avs FROM task;"
  }

  static func hex(_ value: some FixedBytes) -> String { Hex.encode(value.bytes) }
}
