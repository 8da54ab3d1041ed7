import GRDB
import PonosCore

/// Reads a task's row back, by position: it runs a hundred thousand times at a start after a crash.
enum TaskRow {
  static let selection = """
    SELECT task.id, avs, operator_set, phase, attempt, performer_id, accepted_at, finished_at, failure_code, failure_message,
      content_hash, aggregator, priority, deadline, task.seal, task.sequence, result, output, outcome_seal,
      submission.bytes, submission.seal
    FROM task LEFT JOIN submission ON submission.sequence = task.sequence
    """

  /// Without submission and result, which may be megabytes.
  static let summarySelection = """
    SELECT task.id, avs, operator_set, phase, attempt, performer_id, accepted_at, finished_at, failure_code, failure_message,
      content_hash, aggregator, priority, deadline, task.seal
    FROM task
    """

  /// Throws `.damaged` when what the task is cannot be relied on; when only what came of it cannot, the record says so.
  static func record(_ row: Row) throws -> TaskRecord {
    let columns = self.columns(row)
    let phase = try phase(columns)
    var accepted = try acceptance(columns)
    if !phase.isFinished {
      accepted.submission = try columns.bytes(19)
      try columns.check(seal: 20, is: RecordSeals.submission(accepted.submission, of: accepted.id))
    }
    var record = TaskRecord(
      accepted: accepted, sequence: try columns.integer(15), phase: phase, attempt: try columns.number(4),
      performerID: try columns.optionalText(5), finishedAt: try columns.optionalInteger(7))
    guard phase.isFinished == (record.finishedAt != nil) else { throw columns.damaged }
    switch phase {
    case .queued, .executing: break
    case .collected: try readOutput(columns, into: &record)
    case .signed: try readResult(columns, into: &record)
    case .failed: try readFailure(columns, into: &record)
    }
    return record
  }

  static func summary(_ row: Row) throws -> TaskSummary {
    let columns = self.columns(row)
    let accepted = try acceptance(columns)
    return TaskSummary(
      id: accepted.id, operatorSet: accepted.operatorSet, phase: try phase(columns), attempt: try columns.number(4),
      performerID: try columns.optionalText(5), acceptedAt: accepted.acceptedAt, finishedAt: try columns.optionalInteger(7),
      failure: try failure(columns))
  }

  private static func columns(_ row: Row) -> StoredColumns { StoredColumns(row: row, subject: "a task") }

  /// What both selections begin with.
  private static func acceptance(_ columns: StoredColumns) throws -> AcceptedTaskRecord {
    let id: TaskID = try columns.fixed(0)
    let accepted = AcceptedTaskRecord(
      id: id, contentHash: try columns.fixed(10), submission: [], operatorSet: try columns.operatorSet(avs: 1, id: 2),
      aggregator: try columns.fixed(11), priority: try columns.number(12), acceptedAt: try columns.integer(6),
      deadline: try columns.integer(13))
    guard columns.has(seal: 14, RecordSeals.acceptance(of: accepted)) else {
      throw StoredColumns(row: columns.row, subject: "task \(id)").damaged
    }
    return accepted
  }

  private static func phase(_ columns: StoredColumns) throws -> TaskPhase {
    guard let phase = TaskPhase(rawValue: try columns.text(3)) else { throw columns.damaged }
    return phase
  }

  private static func readOutput(_ columns: StoredColumns, into record: inout TaskRecord) throws {
    let output = try columns.optionalBytes(17)
    if let output, columns.has(seal: 18, RecordSeals.output(output, of: record.id)) {
      record.output = output
    } else {
      record.damage = .output
    }
  }

  private static func readResult(_ columns: StoredColumns, into record: inout TaskRecord) throws {
    record.result = try columns.optionalBytes(16)
    guard let result = record.result, let time = record.finishedAt,
      columns.has(seal: 18, RecordSeals.result(result, at: time, of: record.id))
    else { return record.damage = .outcome }
  }

  private static func readFailure(_ columns: StoredColumns, into record: inout TaskRecord) throws {
    record.failure = try failure(columns)
    guard let failure = record.failure, let time = record.finishedAt,
      columns.has(seal: 18, RecordSeals.failure(failure, at: time, of: record.id))
    else { return record.damage = .outcome }
  }

  private static func failure(_ columns: StoredColumns) throws -> StoredFailure? {
    guard let code = try columns.optionalText(8), let message = try columns.optionalBytes(9) else { return nil }
    return StoredFailure(code: code, message: String(decoding: message, as: UTF8.self))
  }
}
