import Foundation
import GRDB
import GRDBSQLite

/// A value of a column, of whatever type it is; `NULL` is nil.
///
/// Bytes are copied once, from SQLite's memory: through `Data`, which GRDB offers, they cost three times as much, and a start after a
/// crash reads a million of them.
enum StoredValue: Sendable {
  case integer(Int64)
  case text(String)
  case bytes([UInt8])
  /// A floating-point number; there is none in our tables.
  case other
}

extension StoredValue: StatementColumnConvertible {
  init?(sqliteStatement statement: SQLiteStatement, index: CInt) {
    switch sqlite3_column_type(statement, index) {
    case SQLITE_INTEGER: self = .integer(sqlite3_column_int64(statement, index))
    case SQLITE_TEXT:
      self = .text(String(decoding: Self.bytes(sqlite3_column_text(statement, index), statement, index), as: UTF8.self))
    case SQLITE_BLOB: self = .bytes(Array(Self.bytes(sqlite3_column_blob(statement, index), statement, index)))
    default: self = .other
    }
  }

  /// - Parameter start: Nil for a value of no length.
  private static func bytes(
    _ start: UnsafeRawPointer?, _ statement: SQLiteStatement, _ index: CInt
  ) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : Int(sqlite3_column_bytes(statement, index)))
  }
}

extension StoredValue: DatabaseValueConvertible {
  var databaseValue: DatabaseValue {
    switch self {
    case .integer(let number): number.databaseValue
    case .text(let text): text.databaseValue
    case .bytes(let bytes): Data(bytes).databaseValue
    case .other: .null
    }
  }

  static func fromDatabaseValue(_ value: DatabaseValue) -> StoredValue? {
    switch value.storage {
    case .int64(let number): .integer(number)
    case .string(let text): .text(text)
    case .blob(let data): .bytes(Array(data))
    case .double: .other
    case .null: nil
    }
  }
}
