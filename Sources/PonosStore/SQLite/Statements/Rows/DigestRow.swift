import Foundation
import GRDB
import PonosCore

/// Writes and reads the row of a digest that may be signed.
///
/// A task that was signed in one step has its digest in its own row, until the row goes; all others have a row of their own.
enum DigestRow {
  static let selection = "SELECT task_id, avs, operator_set, curve, digest, recorded_at, seal FROM signed_digest"

  /// The same of tasks that have theirs in their rows; further conditions can follow.
  static let selectionFromTasks = """
    SELECT id AS task_id, avs, operator_set, digest_curve, digest, finished_at, digest_seal FROM task
    WHERE (digest IS NOT NULL OR digest_seal IS NOT NULL)
    """

  /// Gives the digest in the row of a task with a sequence number, if it ended before a time, a row of its own.
  static let keeping = """
    INSERT INTO signed_digest (task_id, avs, operator_set, curve, digest, recorded_at, seal)
    \(selectionFromTasks) AND sequence = ? AND finished_at < ?
    ON CONFLICT (task_id) DO NOTHING
    """

  /// Inserts the row unless the task has one. Seven arguments, in the order of `arguments`.
  static let insertion = """
    INSERT INTO signed_digest (task_id, avs, operator_set, curve, digest, recorded_at, seal) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (task_id) DO NOTHING
    """

  static func arguments(_ record: SignedDigestRecord) -> StatementArguments {
    [
      Data(record.taskID.bytes), Data(record.operatorSet.avs.bytes), Int64(record.operatorSet.id), record.curve.rawValue,
      Data(record.digest.bytes), record.recordedAt, Data(RecordSeals.digest(record)),
    ]
  }

  /// Throws `.damaged` when the row is not what was written.
  static func record(_ row: Row) throws -> SignedDigestRecord {
    let columns = StoredColumns(row: row, subject: "a signed digest")
    guard let curve = SignatureCurve(rawValue: try columns.text(3)) else { throw columns.damaged }
    let id: TaskID = try columns.fixed(0)
    let record = SignedDigestRecord(
      taskID: id, operatorSet: try columns.operatorSet(avs: 1, id: 2), curve: curve, digest: try columns.fixed(4),
      recordedAt: try columns.integer(5))
    try StoredColumns(row: row, subject: "the digest signed for task \(id)").check(seal: 6, is: RecordSeals.digest(record))
    return record
  }
}
