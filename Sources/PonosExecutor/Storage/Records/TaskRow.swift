import Foundation
import GRDB
import PonosCore

/// Reads a task's row back, by position: it runs a hundred thousand times at a start after a crash.
enum TaskRow {
  static let selection = """
    SELECT task.id, avs, operator_set, phase, attempt, performer_id, accepted_at, finished_at, failure_code, failure_message,
      task.sequence, content_hash, aggregator, priority, deadline, result, bytes, output
    FROM task LEFT JOIN submission ON submission.sequence = task.sequence
    """

  /// Without submission and result, which may be megabytes.
  static let summarySelection = """
    SELECT task.id, avs, operator_set, phase, attempt, performer_id, accepted_at, finished_at, failure_code, failure_message
    FROM task
    """

  static func record(_ row: Row) throws -> TaskRecord {
    let accepted = AcceptedTaskRecord(
      id: try fixed(row, 0, "id"), contentHash: try fixed(row, 11, "content_hash"), submission: try bytes(row, 16) ?? [],
      operatorSet: try operatorSet(row), aggregator: try fixed(row, 12, "aggregator"), priority: row[13], acceptedAt: row[6],
      deadline: row[14])
    return TaskRecord(
      accepted: accepted, sequence: row[10], phase: try phase(row), attempt: row[4], performerID: row[5],
      output: try bytes(row, 17), result: try bytes(row, 15), failure: try failure(row), finishedAt: row[7])
  }

  static func summary(_ row: Row) throws -> TaskSummary {
    TaskSummary(
      id: try fixed(row, 0, "id"), operatorSet: try operatorSet(row), phase: try phase(row), attempt: row[4],
      performerID: row[5], acceptedAt: row[6], finishedAt: row[7], failure: try failure(row))
  }

  private static func operatorSet(_ row: Row) throws -> OperatorSet {
    OperatorSet(avs: try fixed(row, 1, "avs"), id: row[2])
  }

  private static func phase(_ row: Row) throws -> TaskPhase {
    let text: String = row[3]
    guard let phase = TaskPhase(rawValue: text) else { throw damaged("phase") }
    return phase
  }

  private static func failure(_ row: Row) throws -> StoredFailure? {
    guard let code: String = row[8], let message = try bytes(row, 9) else { return nil }
    return StoredFailure(code: code, message: String(decoding: message, as: UTF8.self))
  }

  private static func fixed<Value: FixedBytes>(_ row: Row, _ index: Int, _ column: String) throws -> Value {
    guard let value = try row.withUnsafeData(atIndex: index, { data in data.flatMap { Value($0) } }) else {
      throw damaged(column)
    }
    return value
  }

  private static func bytes(_ row: Row, _ index: Int) throws -> [UInt8]? {
    try row.withUnsafeData(atIndex: index) { data in data.map { [UInt8]($0) } }
  }

  private static func damaged(_ column: String) -> StoreError {
    StoreError(.readFailed, "column \(column) of a task is damaged; restore a backup")
  }
}
