import GRDB
import GRDBSQLite
import Synchronization

/// Moves the write-ahead log into the database file, and knows why it could not.
///
/// SQLite does so by itself within a commit, but tells nobody when it fails: commits succeed, and the log grows until it has filled
/// its disk. Moves are made on the queue of the writer connection; how they went may be read from anywhere.
final class WALCheckpointer: Sendable {
  /// Pages in the log after which they are moved: 16 MiB.
  static let pages = 4096

  private struct State {
    /// Pages in the log after the last commit; 0 once they have been considered.
    var logPages = 0
    /// Pages in the log with which it is moved.
    var due = WALCheckpointer.pages
    var failure: StoreError?
  }

  private let state = Mutex(State())
  private let onFailure: @Sendable () -> Void

  /// `onFailure` is called each time the log could not be moved, on the queue of the writer connection, and must be quick.
  init(onFailure: @escaping @Sendable () -> Void = {}) {
    self.onFailure = onFailure
  }

  /// Why the log could not be moved the last time; nil once it could.
  var failure: StoreError? { state.withLock(\.failure) }

  /// Takes the place of what SQLite does by itself on this connection, which must be closed before this object is let go.
  func attach(to database: Database) {
    sqlite3_wal_hook(
      database.sqliteConnection,
      { context, _, _, pages in
        if let context {
          let checkpoints = Unmanaged<WALCheckpointer>.fromOpaque(context).takeUnretainedValue()
          checkpoints.state.withLock { $0.logPages = Int(pages) }
        }
        return SQLITE_OK
      }, Unmanaged.passUnretained(self).toOpaque())
  }

  /// To be called after a commit: moves the log when it has grown enough, and waits for nobody.
  func moveIfDue(_ database: Database) {
    let grown = state.withLock { state -> Int? in
      defer { state.logPages = 0 }
      return state.logPages >= state.due ? state.logPages : nil
    }
    guard let grown else { return }
    if case .failure = note(Self.outcome("move the write-ahead log into the database file") { try database.checkpoint(.passive) })
    {
      // Each try may write a part of the database anew, which would slow down every commit.
      state.withLock { $0.due = grown + Self.pages }
    }
  }

  /// Moves the log and shortens it, unless a reader still needs it.
  func compact(_ database: Database, action: String) -> Result<Void, StoreError> {
    note(
      Self.outcome(action) {
        // Moves what no reader needs and waits for nobody; then shortens the log. Every writer waits for this, so it must not wait
        // for a reader.
        try database.checkpoint(.passive)
        try SQLiteConnections.withoutWaiting(database) { _ = try database.checkpoint(.truncate) }
      })
  }

  private func note(_ outcome: Result<Void, StoreError>) -> Result<Void, StoreError> {
    switch outcome {
    case .success: state.withLock { ($0.failure, $0.due) = (nil, Self.pages) }
    case .failure(let failure):
      state.withLock { $0.failure = failure }
      onFailure()
    }
    return outcome
  }

  private static func outcome(_ action: String, _ body: () throws -> Void) -> Result<Void, StoreError> {
    do {
      try body()
      return .success(())
    } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY || error.resultCode == .SQLITE_LOCKED {
      // A reader needs the log, or another program moves it; the next checkpoint, or the next start, makes up for it.
      return .success(())
    } catch {
      return .failure(StoreError(error, while: action, otherwise: .writeFailed))
    }
  }
}
