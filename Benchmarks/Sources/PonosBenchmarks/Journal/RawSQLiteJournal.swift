import GRDBSQLite

/// SQLite by its C interface alone: WAL, `synchronous=FULL`, one table, one prepared statement.
final class RawSQLiteJournal {
  private var connection: OpaquePointer?
  private var insertion: OpaquePointer?
  private let record: [UInt8]

  /// Each row holds an id of 32 bytes and `bytes` bytes.
  init(path: String, bytes: Int) throws {
    record = [UInt8](repeating: 0x5a, count: bytes)
    guard sqlite3_open(path, &connection) == SQLITE_OK else { throw failure("open \(path)") }
    try execute("PRAGMA journal_mode = WAL")
    try execute("PRAGMA synchronous = FULL")
    try execute("CREATE TABLE entry (id BLOB PRIMARY KEY, bytes BLOB NOT NULL)")
    guard sqlite3_prepare_v2(connection, "INSERT INTO entry VALUES (?, ?)", -1, &insertion, nil) == SQLITE_OK else {
      throw failure("prepare the insertion")
    }
  }

  deinit {
    sqlite3_finalize(insertion)
    sqlite3_close(connection)
  }

  /// Inserts `count` rows in one transaction.
  func insert(_ count: Int) throws {
    if count > 1 { try execute("BEGIN IMMEDIATE") }
    for _ in 0..<count { try insertRow() }
    if count > 1 { try execute("COMMIT") }
  }

  private func insertRow() throws {
    let id = UniqueID.next()
    try id.withUnsafeBufferPointer { id in
      try record.withUnsafeBufferPointer { record in
        // The buffers outlive the step, so SQLite need not copy them (a nil destructor is SQLITE_STATIC).
        sqlite3_bind_blob(insertion, 1, id.baseAddress, Int32(id.count), nil)
        sqlite3_bind_blob(insertion, 2, record.baseAddress, Int32(record.count), nil)
        guard sqlite3_step(insertion) == SQLITE_DONE, sqlite3_reset(insertion) == SQLITE_OK else {
          throw failure("insert a row")
        }
      }
    }
  }

  private func execute(_ sql: String) throws {
    guard sqlite3_exec(connection, sql, nil, nil, nil) == SQLITE_OK else { throw failure(sql) }
  }

  private func failure(_ action: String) -> SystemFailure {
    SystemFailure(action, reason: String(cString: sqlite3_errmsg(connection)))
  }
}
