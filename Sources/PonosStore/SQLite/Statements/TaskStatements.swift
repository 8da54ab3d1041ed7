import Foundation
import GRDB
import PonosCore

/// The statements about tasks, each a function over a connection, prepared once for it.
enum TaskStatements {
  /// The seals of a new task's two rows; made by the caller, so that the writer's queue need not hash.
  struct AcceptanceSeals: Sendable {
    let task: [UInt8]
    let submission: [UInt8]

    init(_ task: AcceptedTaskRecord) {
      self.task = RecordSeals.acceptance(of: task)
      submission = RecordSeals.submission(task.submission, of: task.id)
    }
  }

  static func accept(_ task: AcceptedTaskRecord, _ seals: AcceptanceSeals, _ database: Database) throws -> AcceptOutcome {
    try database.cachedStatement(
      sql: """
        INSERT INTO task
          (id, content_hash, avs, operator_set, aggregator, priority, accepted_at, deadline, seal, phase, attempt)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued', 0)
        ON CONFLICT (id) DO NOTHING
        """
    ).execute(arguments: [
      Data(task.id.bytes), Data(task.contentHash.bytes), Data(task.operatorSet.avs.bytes), Int64(task.operatorSet.id),
      Data(task.aggregator.bytes), task.priority, task.acceptedAt, task.deadline, Data(seals.task),
    ])
    guard database.changesCount == 1 else {
      guard let known = try Self.task(task.id, database) else {
        throw StoreError(.readFailed, "could not read task \(task.id), which the store has")
      }
      return .known(known)
    }
    let sequence = database.lastInsertedRowID
    try database.cachedStatement(sql: "INSERT INTO submission (sequence, bytes, seal) VALUES (?, ?, ?)")
      .execute(arguments: [sequence, Data(task.submission), Data(seals.submission)])
    return .accepted(sequence: sequence)
  }

  /// A step of a task as it is written; made by the caller, so that the writer's queue need not hash.
  struct Step: Sendable {
    let id: TaskID
    let finishes: Bool
    let sql: String
    let arguments: StatementArguments

    init(_ transition: TaskTransition, of id: TaskID) {
      let (assignments, arguments) = TaskStatements.changes(of: transition, for: id)
      self.id = id
      finishes = transition.finishes
      sql = "UPDATE task SET \(assignments) WHERE id = ? AND finished_at IS NULL"
      self.arguments = arguments + [Data(id.bytes)]
    }
  }

  static func record(_ step: Step, _ database: Database) throws {
    let id = step.id
    try database.cachedStatement(sql: step.sql).execute(arguments: step.arguments)
    guard database.changesCount == 0 else {
      if step.finishes { try deleteSubmission(of: id, database) }
      return
    }
    let statement = try database.cachedStatement(sql: "SELECT phase FROM task WHERE id = ?")
    guard let row = try Row.fetchOne(statement, arguments: [Data(id.bytes)]) else {
      throw StoreError(.unknownTask, "task \(id) was never accepted, or is past its retention")
    }
    let phase = try StoredColumns(row: row, subject: "task \(id)").text(0)
    throw StoreError(.finishedTask, "task \(id) is \(phase) and does not change any more")
  }

  /// A finished task is answered from its result; the payload would only fill the disk.
  private static func deleteSubmission(of id: TaskID, _ database: Database) throws {
    try database.cachedStatement(
      sql: "DELETE FROM submission WHERE sequence = (SELECT sequence FROM task WHERE id = ?)"
    ).execute(arguments: [Data(id.bytes)])
  }

  private static func changes(
    of transition: TaskTransition, for id: TaskID
  ) -> (assignments: String, arguments: StatementArguments) {
    switch transition {
    case .executing(let performerID, let attempt):
      ("phase = 'executing', performer_id = ?, attempt = ?", [performerID, attempt])
    case .requeued:
      ("phase = 'queued'", [])
    case .signed(let result, let time):
      (
        "phase = 'signed', result = ?, output = NULL, finished_at = ?, outcome_seal = ?",
        [Data(result), time, Data(RecordSeals.result(result, at: time, of: id))]
      )
    case .failed(let failure, let time):
      (
        "phase = 'failed', failure_code = ?, failure_message = ?, output = NULL, finished_at = ?, outcome_seal = ?",
        [failure.code, Data(failure.message.utf8), time, Data(RecordSeals.failure(failure, at: time, of: id))]
      )
    }
  }

  static func task(_ id: TaskID, _ database: Database) throws -> TaskRecord? {
    let statement = try database.cachedStatement(sql: "\(TaskRow.selection) WHERE task.id = ?")
    return try Row.fetchOne(statement, arguments: [Data(id.bytes)]).map { try TaskRow.record($0) }
  }

  /// Read from the index of unfinished tasks alone.
  static func unfinishedPages(of size: Int, _ database: Database) throws -> [ClosedRange<Int64>] {
    let rows = try Row.fetchCursor(
      database, sql: "SELECT sequence FROM task WHERE finished_at IS NULL ORDER BY sequence")
    var pages: [ClosedRange<Int64>] = []
    var (first, last, count) = (Int64.min, Int64.min, 0)
    while let row = try rows.next() {
      let sequence = try StoredColumns(row: row, subject: "a task").integer(0)
      // Numbers that do not rise are a damaged index; each page must still be read once only.
      guard pages.isEmpty && count == 0 || sequence > last else { continue }
      if count == 0 { first = sequence }
      (last, count) = (sequence, count + 1)
      guard count == size else { continue }
      pages.append(first...last)
      count = 0
    }
    if count > 0 { pages.append(first...last) }
    return pages
  }

  /// A row that cannot be relied on costs itself alone.
  static func unfinishedTasks(in range: ClosedRange<Int64>, _ database: Database) throws -> UnfinishedTasks {
    let statement = try database.cachedStatement(
      sql: "\(TaskRow.selection) WHERE task.finished_at IS NULL AND task.sequence BETWEEN ? AND ? ORDER BY task.sequence")
    var page = UnfinishedTasks()
    let rows = try Row.fetchCursor(statement, arguments: [range.lowerBound, range.upperBound])
    while let row = try rows.next() {
      do { page.tasks.append(try TaskRow.record(row)) } catch let error as StoreError { page.damaged.append(error) }
    }
    return page
  }

  static func recentTasks(limit: Int, _ database: Database) throws -> [TaskSummary] {
    let statement = try database.cachedStatement(
      sql: "\(TaskRow.summarySelection) ORDER BY task.sequence DESC LIMIT ?")
    return try Array(Row.fetchCursor(statement, arguments: [max(0, limit)]).map { try TaskRow.summary($0) })
  }

  /// Puts a result made again in the place of a damaged one; does nothing unless the task is signed.
  static func replaceResult(of id: TaskID, by result: [UInt8], _ database: Database) throws {
    let statement = try database.cachedStatement(sql: "SELECT finished_at FROM task WHERE id = ? AND phase = 'signed'")
    guard let row = try Row.fetchOne(statement, arguments: [Data(id.bytes)]) else {
      throw StoreError(.unknownTask, "task \(id) is not signed")
    }
    let time = try StoredColumns(row: row, subject: "task \(id)").integer(0)
    try database.cachedStatement(sql: "UPDATE task SET result = ?, outcome_seal = ? WHERE id = ?").execute(
      arguments: [Data(result), Data(RecordSeals.result(result, at: time, of: id)), Data(id.bytes)])
  }

  /// Deletes at most `limit` tasks; their submissions go with them.
  static func deleteTasks(finishedBefore time: UnixMilliseconds, limit: Int, _ database: Database) throws -> Int {
    try database.cachedStatement(
      sql: """
        DELETE FROM task WHERE sequence IN
          (SELECT sequence FROM task WHERE finished_at IS NOT NULL AND finished_at < ? LIMIT ?)
        """
    ).execute(arguments: [time, limit])
    return database.changesCount
  }
}
