import GRDB
import GRDBSQLite
import PonosCore

/// A statement of SQLite's C interface, prepared once for a connection and bound in place.
///
/// For the statements that every task runs: arguments handed to GRDB cost an allocation each, together more than SQLite's own work on a
/// row. Belongs to the queue of its connection.
final class PreparedStatement {
  private let handle: OpaquePointer
  private let connection: OpaquePointer
  private let sql: String

  /// Tells SQLite to copy what is bound.
  private static let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

  init(_ sql: String, on connection: OpaquePointer) throws {
    var handle: OpaquePointer?
    let code = sqlite3_prepare_v3(connection, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &handle, nil)
    guard code == SQLITE_OK, let handle else { throw Self.error(code, connection, sql) }
    self.handle = handle
    self.connection = connection
    self.sql = sql
  }

  deinit { sqlite3_finalize(handle) }

  // MARK: Arguments, numbered from 1; those not bound since the statement was made are NULL

  func bind(_ value: Int64, at index: Int32) { sqlite3_bind_int64(handle, index, value) }

  func bind(_ value: Int64?, at index: Int32) {
    if let value { bind(value, at: index) } else { sqlite3_bind_null(handle, index) }
  }

  /// Copies the bytes.
  func bind(_ bytes: [UInt8], at index: Int32) {
    _ = bytes.withUnsafeBytes { bytes in
      bytes.isEmpty
        ? sqlite3_bind_zeroblob(handle, index, 0)
        : sqlite3_bind_blob64(handle, index, bytes.baseAddress, UInt64(bytes.count), Self.copied)
    }
  }

  func bind(_ bytes: [UInt8]?, at index: Int32) {
    if let bytes { bind(bytes, at: index) } else { sqlite3_bind_null(handle, index) }
  }

  func bind(_ value: some FixedBytes, at index: Int32) { bind(value.bytes, at: index) }

  func bind(_ text: String?, at index: Int32) {
    guard var text else {
      sqlite3_bind_null(handle, index)
      return
    }
    _ = text.withUTF8 { utf8 in
      utf8.withMemoryRebound(to: CChar.self) { sqlite3_bind_text(handle, index, $0.baseAddress, Int32($0.count), Self.copied) }
    }
  }

  // MARK: Execution

  /// Runs a statement that gives no rows. Returns the number of rows it changed.
  @discardableResult
  func run() throws -> Int {
    defer { sqlite3_reset(handle) }
    let code = sqlite3_step(handle)
    guard code == SQLITE_DONE else { throw Self.error(code, connection, sql) }
    return Int(sqlite3_changes(connection))
  }

  /// The same with `bytes`, which are not copied, as the argument at `index`: for payloads, which may be megabytes.
  @discardableResult
  func run(with bytes: [UInt8], at index: Int32) throws -> Int {
    guard !bytes.isEmpty else {
      bind(bytes, at: index)
      return try run()
    }
    return try bytes.withUnsafeBytes { bytes in
      sqlite3_bind_blob64(handle, index, bytes.baseAddress, UInt64(bytes.count), nil)
      // The statement outlives the bytes.
      defer { sqlite3_bind_null(handle, index) }
      return try run()
    }
  }

  /// What `read` makes of the first row; nil when there is none.
  func first<Value>(_ read: (borrowing ResultRow) throws -> Value) throws -> Value? {
    defer { sqlite3_reset(handle) }
    switch sqlite3_step(handle) {
    case SQLITE_ROW: return try read(ResultRow(handle: handle))
    case SQLITE_DONE: return nil
    case let code: throw Self.error(code, connection, sql)
    }
  }

  /// The row a statement is at.
  struct ResultRow: ~Copyable {
    fileprivate let handle: OpaquePointer

    /// nil for a value of another type, `NULL` among them.
    func integer(_ index: Int32) -> Int64? {
      sqlite3_column_type(handle, index) == SQLITE_INTEGER ? sqlite3_column_int64(handle, index) : nil
    }

    func isNull(_ index: Int32) -> Bool { sqlite3_column_type(handle, index) == SQLITE_NULL }
  }

  private static func error(_ code: Int32, _ connection: OpaquePointer, _ sql: String) -> DatabaseError {
    DatabaseError(resultCode: ResultCode(rawValue: code), message: String(cString: sqlite3_errmsg(connection)), sql: sql)
  }
}
