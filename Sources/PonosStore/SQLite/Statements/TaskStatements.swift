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

  /// - Parameter sequence: The task's place in the order of acceptances, unless it is known.
  static func accept(
    _ task: AcceptedTaskRecord, _ seals: AcceptanceSeals, sequence: Int64, _ connection: WriterConnection
  ) throws -> AcceptOutcome {
    let hasDigest = try DigestStatements.isRecorded(task.id, connection)
    let insertion = try connection.statement(.insertTask)
    insertion.bind(sequence, at: 1)
    insertion.bind(task.id, at: 2)
    insertion.bind(task.contentHash, at: 3)
    insertion.bind(task.operatorSet.avs, at: 4)
    insertion.bind(Int64(task.operatorSet.id), at: 5)
    insertion.bind(task.aggregator, at: 6)
    insertion.bind(Int64(task.priority), at: 7)
    insertion.bind(task.acceptedAt, at: 8)
    insertion.bind(task.deadline, at: 9)
    insertion.bind(seals.task, at: 10)
    insertion.bind(hasDigest ? 1 : nil, at: 11)
    guard try insertion.run() == 1 else {
      guard let known = try Self.task(task.id, connection.database) else {
        throw StoreError(.readFailed, "could not read task \(task.id), which the store has")
      }
      return .known(known)
    }
    let submission = try connection.statement(.insertSubmission)
    submission.bind(sequence, at: 1)
    submission.bind(seals.submission, at: 3)
    try submission.run(with: task.submission, at: 2)
    return .accepted(sequence: sequence, hasDigest: hasDigest)
  }

  // MARK: The end with a signed result

  /// A signed task as it is written; made by the caller, so that the writer's queue need not hash.
  struct Finish: Sendable {
    fileprivate let task: SignedTaskRecord
    fileprivate let resultSeal: [UInt8]
    fileprivate let digestSeal: [UInt8]

    init(_ task: SignedTaskRecord) {
      self.task = task
      resultSeal = RecordSeals.result(task.result, at: task.digest.recordedAt, of: task.digest.taskID)
      digestSeal = RecordSeals.digest(task.digest)
    }
  }

  /// Finishes a task unless another digest is recorded for its id.
  ///
  /// - Parameter run: The run that is not in the row yet.
  static func finish(
    _ finish: Finish, run: RunBeginnings.Run?, _ connection: WriterConnection
  ) throws -> DigestOutcome {
    let id = finish.task.digest.taskID
    let sequence = try unfinishedSequence(of: id, connection)
    let outcome = try DigestStatements.outcome(of: finish.task.digest, connection)
    if case .conflict = outcome { return outcome }
    let deletion = try connection.statement(.deleteSubmission)
    deletion.bind(sequence, at: 1)
    // First, so that the result takes the pages of the submission.
    try deletion.run()
    try write(finish, isNew: outcome == .recorded, run, sequence, connection)
    return outcome
  }

  private static func unfinishedSequence(of id: TaskID, _ connection: WriterConnection) throws -> Int64 {
    let search = try connection.statement(.findTask)
    search.bind(id, at: 1)
    guard let (sequence, isFinished) = try search.first({ ($0.integer(0), !$0.isNull(1)) }) else { throw unknown(id) }
    guard let sequence, !isFinished else { throw try refusal(of: id, connection.database) }
    return sequence
  }

  /// - Parameter isNew: Whether the digest goes into the row, since it is recorded nowhere else.
  private static func write(
    _ finish: Finish, isNew: Bool, _ run: RunBeginnings.Run?, _ sequence: Int64, _ connection: WriterConnection
  ) throws {
    let digest = finish.task.digest
    let update = try connection.statement(.finishTask)
    update.bind(digest.recordedAt, at: 2)
    update.bind(finish.resultSeal, at: 3)
    update.bind(isNew ? digest.digest.bytes : nil, at: 4)
    update.bind(isNew ? digest.curve.rawValue : nil, at: 5)
    update.bind(isNew ? finish.digestSeal : nil, at: 6)
    update.bind(run?.performerID, at: 7)
    update.bind(run.map { Int64($0.attempt) }, at: 8)
    update.bind(sequence, at: 9)
    try update.run(with: finish.task.result, at: 1)
  }

  // MARK: Other steps

  static func begin(_ run: RunBeginnings.Run, of id: TaskID, _ connection: WriterConnection) throws {
    let update = try connection.statement(.beginRun)
    update.bind(run.performerID, at: 1)
    update.bind(Int64(run.attempt), at: 2)
    update.bind(id, at: 3)
    guard try update.run() == 0 else { return }
    throw try refusal(of: id, connection.database)
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
    throw try refusal(of: id, database)
  }

  /// Why a task does not move on.
  private static func refusal(of id: TaskID, _ database: Database) throws -> StoreError {
    let statement = try database.cachedStatement(sql: "SELECT phase FROM task WHERE id = ?")
    guard let row = try Row.fetchOne(statement, arguments: [Data(id.bytes)]) else { return unknown(id) }
    let phase = try StoredColumns(row: row, subject: "task \(id)").text(0)
    return StoreError(.finishedTask, "task \(id) is \(phase) and does not change any more")
  }

  private static func unknown(_ id: TaskID) -> StoreError {
    StoreError(.unknownTask, "task \(id) was never accepted, or is past its retention")
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

  /// Ranges of `size` numbers each, from an unfinished task to the next: a submission is kept for as long as its task is unfinished, so
  /// the keys of submissions say where one is, at a look-up for each range.
  static func unfinishedPages(of size: Int, _ database: Database) throws -> [ClosedRange<Int64>] {
    let statement = try database.cachedStatement(sql: "SELECT MIN(sequence) FROM submission WHERE sequence > ?")
    var pages: [ClosedRange<Int64>] = []
    var last = Int64.min
    while let row = try Row.fetchOne(statement, arguments: [last]),
      let first = try StoredColumns(row: row, subject: "a submission").optionalInteger(0), first > last
    {
      last = first.addingReportingOverflow(Int64(size) - 1).overflow ? .max : first + Int64(size) - 1
      pages.append(first...last)
    }
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

  /// A part of the tasks, in the order of their acceptance.
  struct Window {
    /// Those that ended before the time asked for.
    var forgettable: [Int64] = []
    /// The last task looked at; nil when there was none.
    var last: Int64?
    /// Whether any was accepted before that time: of those behind a part without one, none can have ended before it.
    var isOld = false
  }

  /// The `limit` tasks behind `last`. Reads without the payloads.
  static func window(
    finishedBefore time: UnixMilliseconds, after last: Int64, limit: Int, _ database: Database
  ) throws -> Window {
    let statement = try database.cachedStatement(
      sql: "SELECT sequence, accepted_at, finished_at FROM task WHERE sequence > ? ORDER BY sequence LIMIT ?")
    var window = Window()
    let rows = try Row.fetchCursor(statement, arguments: [last, limit])
    while let row = try rows.next() {
      let columns = StoredColumns(row: row, subject: "a task")
      let sequence = try columns.integer(0)
      window.last = sequence
      if try columns.integer(1) < time { window.isOld = true }
      if let finishedAt = try columns.optionalInteger(2), finishedAt < time { window.forgettable.append(sequence) }
    }
    return window
  }

  /// Deletes these tasks if they ended before `time`; their digests stay.
  static func deleteTasks(
    _ sequences: [Int64], finishedBefore time: UnixMilliseconds, _ database: Database
  ) throws -> Int {
    // The number of the newest task is not used again, even when it goes.
    try database.execute(
      sql: "UPDATE installation SET last_sequence = MAX(last_sequence, (SELECT COALESCE(MAX(sequence), 0) FROM task))")
    let keep = try database.cachedStatement(sql: DigestRow.keeping)
    let delete = try database.cachedStatement(sql: "DELETE FROM task WHERE sequence = ? AND finished_at < ?")
    var count = 0
    for sequence in sequences {
      try keep.execute(arguments: [sequence, time])
      try delete.execute(arguments: [sequence, time])
      count += database.changesCount
    }
    return count
  }

  /// The greatest sequence number that a task has or had.
  static func lastSequence(_ database: Database) throws -> Int64 {
    try Int64.fetchOne(
      database, sql: "SELECT MAX(last_sequence, (SELECT COALESCE(MAX(sequence), 0) FROM task)) FROM installation") ?? 0
  }
}
