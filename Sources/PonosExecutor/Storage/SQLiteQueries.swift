import Foundation
import GRDB
import PonosCore

/// The statements of the store, each a function over a connection. Statements are prepared once per connection.
enum SQLiteQueries {
  // MARK: Tasks

  static func accept(_ task: AcceptedTaskRecord, _ database: Database) throws -> AcceptOutcome {
    try database.cachedStatement(
      sql: """
        INSERT INTO task (id, content_hash, avs, operator_set, aggregator, priority, accepted_at, deadline, phase, attempt)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'queued', 0)
        ON CONFLICT (id) DO NOTHING
        """
    ).execute(arguments: [
      Data(task.id.bytes), Data(task.contentHash.bytes), Data(task.operatorSet.avs.bytes), Int64(task.operatorSet.id),
      Data(task.aggregator.bytes), task.priority, task.acceptedAt, task.deadline,
    ])
    guard database.changesCount == 1 else {
      guard let known = try Self.task(task.id, database) else {
        throw StoreError(.readFailed, "could not read task \(task.id), which the store has")
      }
      return .known(known)
    }
    let sequence = database.lastInsertedRowID
    try database.cachedStatement(sql: "INSERT INTO submission (sequence, bytes) VALUES (?, ?)")
      .execute(arguments: [sequence, Data(task.submission)])
    if task.isStreamed { try SQLiteDeliveries.add(task, sequence: sequence, database) }
    return .accepted(sequence: sequence)
  }

  static func record(_ transition: TaskTransition, for id: TaskID, _ database: Database) throws {
    let (assignments, arguments) = changes(of: transition)
    try database.cachedStatement(
      sql: "UPDATE task SET \(assignments) WHERE id = ? AND finished_at IS NULL"
    ).execute(arguments: arguments + [Data(id.bytes)])
    guard database.changesCount == 0 else {
      if transition.finishes { try deleteSubmission(of: id, database) }
      return
    }
    let phase = try database.cachedStatement(sql: "SELECT phase FROM task WHERE id = ?")
    guard let phase = try String.fetchOne(phase, arguments: [Data(id.bytes)]) else {
      throw StoreError(.unknownTask, "task \(id) was never accepted, or is past its retention")
    }
    throw StoreError(.finishedTask, "task \(id) is \(phase) and does not change any more")
  }

  /// A finished task is answered from its result; the payload would only fill the disk.
  private static func deleteSubmission(of id: TaskID, _ database: Database) throws {
    try database.cachedStatement(
      sql: "DELETE FROM submission WHERE sequence = (SELECT sequence FROM task WHERE id = ?)"
    ).execute(arguments: [Data(id.bytes)])
  }

  private static func changes(of transition: TaskTransition) -> (assignments: String, arguments: StatementArguments) {
    switch transition {
    case .executing(let performerID, let attempt):
      ("phase = 'executing', performer_id = ?, attempt = ?", [performerID, attempt])
    case .requeued:
      ("phase = 'queued'", [])
    case .signed(let result, let time):
      ("phase = 'signed', result = ?, output = NULL, finished_at = ?", [Data(result), time])
    case .failed(let failure, let time):
      (
        "phase = 'failed', failure_code = ?, failure_message = ?, output = NULL, finished_at = ?",
        [failure.code, Data(failure.message.utf8), time]
      )
    }
  }

  static func task(_ id: TaskID, _ database: Database) throws -> TaskRecord? {
    let statement = try database.cachedStatement(sql: "\(TaskRow.selection) WHERE task.id = ?")
    return try Row.fetchOne(statement, arguments: [Data(id.bytes)]).map { try TaskRow.record($0) }
  }

  static func unfinishedTasks(_ database: Database) throws -> [TaskRecord] {
    let statement = try database.cachedStatement(
      sql: "\(TaskRow.selection) WHERE task.finished_at IS NULL ORDER BY task.sequence")
    return try Row.fetchCursor(statement).map { try TaskRow.record($0) }.collect()
  }

  static func recentTasks(limit: Int, _ database: Database) throws -> [TaskSummary] {
    let statement = try database.cachedStatement(
      sql: "\(TaskRow.summarySelection) ORDER BY task.sequence DESC LIMIT ?")
    return try Row.fetchCursor(statement, arguments: [max(0, limit)]).map { try TaskRow.summary($0) }.collect()
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

  // MARK: Signed digests

  static func record(_ digest: SignedDigestRecord, output: [UInt8], _ database: Database) throws -> DigestOutcome {
    let outcome = try record(digest, database)
    if case .conflict = outcome { return outcome }
    try database.cachedStatement(
      sql: "UPDATE task SET phase = 'collected', output = ? WHERE id = ? AND finished_at IS NULL"
    ).execute(arguments: [Data(output), Data(digest.taskID.bytes)])
    return outcome
  }

  private static func record(_ digest: SignedDigestRecord, _ database: Database) throws -> DigestOutcome {
    try database.cachedStatement(
      sql: """
        INSERT INTO signed_digest (task_id, avs, operator_set, curve, digest, recorded_at) VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT (task_id) DO NOTHING
        """
    ).execute(arguments: [
      Data(digest.taskID.bytes), Data(digest.operatorSet.avs.bytes), Int64(digest.operatorSet.id), digest.curve.rawValue,
      Data(digest.digest.bytes), digest.recordedAt,
    ])
    if database.changesCount == 1 { return .recorded }
    let statement = try database.cachedStatement(sql: "SELECT digest FROM signed_digest WHERE task_id = ?")
    guard let data = try Data.fetchOne(statement, arguments: [Data(digest.taskID.bytes)]), let recorded = Digest32(data) else {
      throw StoreError(.readFailed, "the digest recorded for task \(digest.taskID) is damaged; restore a backup")
    }
    return recorded == digest.digest ? .sameAsRecorded : .conflict(recorded: recorded)
  }

  // MARK: Performers

  static func save(_ performer: PerformerRecord, _ database: Database) throws {
    try database.cachedStatement(
      sql: """
        INSERT INTO performer (id, spec, origin, role, deployment_id, generation, container_id, image_id, created_at, replica)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET
          spec = excluded.spec, origin = excluded.origin, role = excluded.role, deployment_id = excluded.deployment_id,
          generation = excluded.generation, container_id = excluded.container_id, image_id = excluded.image_id,
          created_at = excluded.created_at, replica = excluded.replica
        """
    ).execute(arguments: try PerformerRow.arguments(performer))
  }

  static func deletePerformer(id: String, _ database: Database) throws {
    try database.cachedStatement(sql: "DELETE FROM performer WHERE id = ?").execute(arguments: [id])
  }

  static func performers(_ database: Database) throws -> [PerformerRecord] {
    let statement = try database.cachedStatement(sql: "\(PerformerRow.selection) ORDER BY created_at, ordinal")
    return try Row.fetchCursor(statement).map { try PerformerRow.record($0) }.collect()
  }

  // MARK: The installation

  static func installationID(_ database: Database) throws -> String {
    guard let id = try String.fetchOne(database, sql: "SELECT id FROM installation") else {
      throw StoreError(.readFailed, "the installation id is missing; restore a backup")
    }
    return id
  }
}

extension Cursor {
  /// All elements.
  fileprivate func collect() throws -> [Element] { try Array(self) }
}
