import Foundation
import GRDB
import PonosCore

/// Writes and reads the row of a digest that may be signed.
enum DigestRow {
  static let selection = "SELECT task_id, avs, operator_set, curve, digest, recorded_at, seal FROM signed_digest"

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
