import Foundation
import GRDB
import PonosCore

/// The statements about digests that may be signed.
enum DigestStatements {
  static func record(
    _ digest: SignedDigestRecord, output: [UInt8], seal: [UInt8], _ database: Database
  ) throws -> DigestOutcome {
    let outcome = try record(digest, database)
    if case .conflict = outcome { return outcome }
    try database.cachedStatement(
      sql: "UPDATE task SET phase = 'collected', output = ?, outcome_seal = ? WHERE id = ? AND finished_at IS NULL"
    ).execute(arguments: [Data(output), Data(seal), Data(digest.taskID.bytes)])
    return outcome
  }

  /// Records the digest alone.
  static func record(_ digest: SignedDigestRecord, _ database: Database) throws -> DigestOutcome {
    try database.cachedStatement(sql: DigestRow.insertion).execute(arguments: DigestRow.arguments(digest))
    if database.changesCount == 1 { return .recorded }
    guard let recorded = try signedDigest(of: digest.taskID, database) else {
      throw StoreError(.damaged, "the digest recorded for task \(digest.taskID) cannot be found again; restore a backup")
    }
    return recorded.digest == digest.digest ? .sameAsRecorded : .conflict(recorded: recorded.digest)
  }

  static func signedDigest(of id: TaskID, _ database: Database) throws -> SignedDigestRecord? {
    let statement = try database.cachedStatement(sql: "\(DigestRow.selection) WHERE task_id = ?")
    return try Row.fetchOne(statement, arguments: [Data(id.bytes)]).map { try DigestRow.record($0) }
  }

  /// Task ids of digests recorded before `time` whose tasks are gone from the store, at most `limit`.
  static func forgettableDigests(recordedBefore time: UnixMilliseconds, limit: Int, _ database: Database) throws -> [Data] {
    try Data.fetchAll(
      database,
      sql: """
        SELECT task_id FROM signed_digest
        WHERE recorded_at < ? AND NOT EXISTS (SELECT 1 FROM task WHERE task.id = signed_digest.task_id)
        LIMIT ?
        """, arguments: [time, limit])
  }

  static func deleteDigests(_ ids: [Data], recordedBefore time: UnixMilliseconds, _ database: Database) throws -> Int {
    // The task may have come again since the ids were read.
    let statement = try database.cachedStatement(
      sql: """
        DELETE FROM signed_digest
        WHERE task_id = ? AND recorded_at < ? AND NOT EXISTS (SELECT 1 FROM task WHERE task.id = signed_digest.task_id)
        """)
    var count = 0
    for id in ids {
      try statement.execute(arguments: [id, time])
      count += database.changesCount
    }
    return count
  }
}
