import GRDB
import PonosCore
import PonosSystem
import Synchronization
import Synchronization

/// The durable store: one SQLite database in WAL mode, whose commits are on disk when they return. Each file named `SQLiteStore+…`
/// has one part of the contract.
///
/// Writes go through one `GroupCommitWriter`; reads run beside them on connections of their own and see every write whose call
/// has returned.
package final class SQLiteStore: Sendable {
  let file: DatabaseFile
  let writer: GroupCommitWriter
  let checkpoints: WALCheckpointer
  let installation: String
  /// nil once closed. Reads are begun under the lock, so that none begins after the pool was taken away.
  let pool: Mutex<DatabasePool?>

  /// Opens the database at `path`, making file and directories if need be, and brings it up to date. Blocks; meant for the start.
  ///
  /// Throws `.locked` when another daemon has it, `.cannotOpen` for a file that is not ours, damaged, or of a newer version.
  /// `onCommit` is called after each commit, and `onCheckpointFailure` each time the write-ahead log could not be moved into the
  /// database file, both on the writer's queue; they must be quick.
  package static func open(
    path: String, limits: GroupCommitWriter.Limits = .init(), failpoints: Failpoints = .disarmed,
    onCommit: @escaping @Sendable (CommitReport) -> Void = { _ in }, onCheckpointFailure: @escaping @Sendable () -> Void = {}
  ) throws(StoreError) -> SQLiteStore {
    let file = try DatabaseFile(path: path)
    let pool = try SQLiteConnections.open(file)
    let installation: String
    do {
      installation = try pool.read { try InstallationStatements.installationID($0) }
    } catch {
      throw StoreError(error, while: "read the installation id", otherwise: .cannotOpen)
    }
    let checkpoints = WALCheckpointer(onFailure: onCheckpointFailure)
    pool.writeWithoutTransaction { checkpoints.attach(to: $0) }
    return SQLiteStore(
      file: file, pool: pool, installation: installation, checkpoints: checkpoints,
      writer: GroupCommitWriter(
        pool: pool, limits: limits, failpoints: failpoints, onCommit: onCommit, afterCommit: { checkpoints.moveIfDue($0) }))
  }

  private init(
    file: DatabaseFile, pool: DatabasePool, installation: String, checkpoints: WALCheckpointer, writer: GroupCommitWriter
  ) {
    self.file = file
    self.pool = Mutex(pool)
    self.installation = installation
    self.checkpoints = checkpoints
    self.writer = writer
  }

  /// Commits and writes since the store was opened, and what of it fails.
  package var statistics: StoreStatistics {
    var statistics = writer.statistics
    statistics.checkpointFailure = checkpoints.failure
    return statistics
  }

  func read<Value: Sendable>(
    _ action: String, _ query: @escaping @Sendable (Database) throws -> Value
  ) async throws(StoreError) -> Value {
    let outcome: Result<Value, StoreError>? = await withCheckedContinuation { continuation in
      let isOpen = pool.withLock { pool in
        pool?.asyncRead { connection in
          let outcome = Result { try query(try connection.get()) }
          continuation.resume(returning: outcome.mapError { StoreError($0, while: action, otherwise: .readFailed) })
        } != nil
      }
      if !isOpen { continuation.resume(returning: nil) }
    }
    guard let outcome else { throw Self.closedError(action) }
    return try outcome.get()
  }

  static func closedError(_ action: String) -> StoreError {
    StoreError(.closed, "could not \(action): the store is closed")
  }
}
