import GRDBSQLite

/// The unfinished tasks of a database, read by SQLite's C interface and not kept.
enum RawSQLiteRows {
  private static let query = """
    SELECT task.id, avs, operator_set, phase, accepted_at, content_hash, aggregator, priority, deadline, task.sequence,
      submission.bytes
    FROM task LEFT JOIN submission ON submission.sequence = task.sequence
    WHERE task.finished_at IS NULL ORDER BY task.sequence
    """

  /// Returns how many rows there are.
  static func read(_ path: String) throws -> Int {
    var connection: OpaquePointer?
    var statement: OpaquePointer?
    defer {
      sqlite3_finalize(statement)
      sqlite3_close(connection)
    }
    guard sqlite3_open(path, &connection) == SQLITE_OK,
      sqlite3_prepare_v2(connection, query, -1, &statement, nil) == SQLITE_OK
    else { throw failure("prepare the query", connection) }
    var (rows, bytes) = (0, 0)
    while sqlite3_step(statement) == SQLITE_ROW {
      rows += 1
      // Fetching the column is what reads its pages.
      if sqlite3_column_blob(statement, 10) != nil { bytes += Int(sqlite3_column_bytes(statement, 10)) }
    }
    guard bytes > 0 else { throw failure("read the rows", connection) }
    return rows
  }

  private static func failure(_ action: String, _ connection: OpaquePointer?) -> SystemFailure {
    SystemFailure(action, reason: String(cString: sqlite3_errmsg(connection)))
  }
}
