import Foundation
import GRDB

/// Opens the connections to a database file, each as durable and as patient as the store needs them.
enum SQLiteConnections {
  /// The log is cut to this size, in bytes, once its content has been moved: 64 MiB.
  private static let logSizeLimit = 64 << 20
  /// How long a connection waits for a lock, in seconds: someone may look into the file with a tool, which is no reason to fail.
  private static let busyTimeout = 5
  /// SQLite's number for `synchronous = FULL`: a commit returns after its fsync.
  private static let full = 2

  /// Checks that the database is ours, opens it in WAL mode with `synchronous = FULL` and brings its schema up to date.
  static func open(_ file: DatabaseFile) throws(StoreError) -> DatabasePool {
    try checkOwner(of: file)
    let pool: DatabasePool
    do {
      pool = try DatabasePool(path: file.path, configuration: configuration())
    } catch {
      throw StoreError(error, while: "open \(file.path)", otherwise: .cannotOpen)
    }
    let outcome: Result<Void, StoreError> = pool.writeWithoutTransaction { database in
      Result { () throws(StoreError) in
        try makeDurable(database, path: file.path)
        try SQLiteSchema.migrate(database, path: file.path)
      }
    }
    try outcome.get()
    return pool
  }

  /// Looks into the file before the switch to WAL mode, which would change a file that is not ours.
  private static func checkOwner(of file: DatabaseFile) throws(StoreError) {
    do {
      let queue = try DatabaseQueue(path: file.path, configuration: configuration())
      let outcome: Result<Void, StoreError> = try queue.read { database in
        Result { () throws(StoreError) in try SQLiteSchema.check(database, path: file.path) }
      }
      try queue.close()
      try outcome.get()
    } catch {
      throw StoreError(error, while: "open \(file.path)", otherwise: .cannotOpen)
    }
  }

  private static func configuration() -> GRDB.Configuration {
    var configuration = GRDB.Configuration()
    configuration.label = "ponos.store"
    configuration.busyMode = .timeout(TimeInterval(busyTimeout))
    // A transaction that SQLite could not end is rolled back before the next one, instead of ending the process.
    configuration.allowsUnsafeTransactions = true
    return configuration
  }

  /// Does something that fails at once where a lock is held.
  static func withoutWaiting(_ database: Database, _ body: () throws -> Void) throws {
    try database.execute(sql: "PRAGMA busy_timeout = 0")
    let outcome = Result { try body() }
    try database.execute(sql: "PRAGMA busy_timeout = \(busyTimeout * 1000)")
    try outcome.get()
  }

  /// Must come after `DatabasePool` has opened, because it sets `synchronous` to NORMAL, with which a power cut may take back
  /// commits.
  private static func makeDurable(_ database: Database, path: String) throws(StoreError) {
    let mode: Int?
    do {
      try database.execute(
        sql: """
          PRAGMA synchronous = FULL;
          PRAGMA wal_autocheckpoint = \(WALCheckpointer.pages);
          PRAGMA journal_size_limit = \(logSizeLimit);
          """)
      mode = try Int.fetchOne(database, sql: "PRAGMA synchronous")
    } catch {
      throw StoreError(error, while: "make \(path) durable", otherwise: .cannotOpen)
    }
    guard mode == full else {
      throw StoreError(
        .cannotOpen, "\(path) does not synchronize its commits (PRAGMA synchronous reads \(mode.map(String.init) ?? "nothing"))")
    }
  }
}
