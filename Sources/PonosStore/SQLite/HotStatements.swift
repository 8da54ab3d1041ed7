import GRDB

/// The statements that every task or every commit runs, prepared at their first use on the writer's connection.
///
/// Belongs to the queue of that connection, on which alone it may be used: hence unchecked.
package final class HotStatements: @unchecked Sendable {
  /// One of the statements, by which it is found without a look at its text.
  enum Name: Int, CaseIterable {
    case begin, commit
    case findDigest, insertTask, insertSubmission
    case findTask, deleteSubmission, finishTask
    case beginRun
  }

  private var statements = [PreparedStatement?](repeating: nil, count: Name.allCases.count)

  package init() {}

  /// The statement, prepared for `database`, which must be the same at every call until `release`.
  subscript(_ name: Name, _ database: Database) -> PreparedStatement {
    get throws {
      if let statement = statements[name.rawValue] { return statement }
      guard let connection = database.sqliteConnection else { throw DatabaseError(resultCode: .SQLITE_MISUSE) }
      let statement = try PreparedStatement(Self.sql(of: name), on: connection)
      statements[name.rawValue] = statement
      return statement
    }
  }

  /// Gives the statements back to SQLite, which does not close a connection before.
  func release() {
    for index in statements.indices { statements[index] = nil }
  }

  private static func sql(of name: Name) -> String {
    switch name {
    case .begin: "BEGIN IMMEDIATE TRANSACTION"
    case .commit: "COMMIT TRANSACTION"
    case .findDigest: "SELECT 1 FROM signed_digest WHERE task_id = ?"
    case .insertTask:
      """
      INSERT INTO task (sequence, id, content_hash, avs, operator_set, aggregator, priority, accepted_at, deadline, seal, phase,
        attempt, has_earlier_digest)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued', 0, ?)
      ON CONFLICT (id) DO NOTHING
      """
    case .insertSubmission: "INSERT INTO submission (sequence, bytes, seal) VALUES (?, ?, ?)"
    case .findTask: "SELECT sequence, finished_at FROM task WHERE id = ?"
    case .deleteSubmission: "DELETE FROM submission WHERE sequence = ?"
    case .finishTask:
      """
      UPDATE task SET phase = 'signed', result = ?, output = NULL, finished_at = ?, outcome_seal = ?, digest = ?, digest_curve = ?,
        digest_seal = ?, performer_id = COALESCE(?, performer_id), attempt = COALESCE(?, attempt)
      WHERE sequence = ?
      """
    case .beginRun:
      "UPDATE task SET phase = 'executing', performer_id = ?, attempt = ? WHERE id = ? AND finished_at IS NULL"
    }
  }
}

/// The writer's connection while it is in use: GRDB's view of it, and the statements prepared on it.
package struct WriterConnection {
  package let database: Database
  fileprivate let statements: HotStatements

  init(_ database: Database, _ statements: HotStatements) {
    self.database = database
    self.statements = statements
  }

  func statement(_ name: HotStatements.Name) throws -> PreparedStatement { try statements[name, database] }
}
