import Foundation
import GRDB
import PonosCore
import PonosSystem

/// The database of a daemon that does not run, for commands that work on it: while it is open here, no daemon can start with it.
package final class OfflineDatabase {
  package let path: String
  private let file: DatabaseFile
  private let pool: DatabasePool

  /// Opens the database at `path` and brings it up to date. Throws `.locked` while a daemon has it.
  ///
  /// - Parameter mayCreate: Whether a missing database is made, rather than an error.
  package init(path: String, mayCreate: Bool = false) throws(StoreError) {
    guard mayCreate || FileManager.default.fileExists(atPath: path) else {
      throw StoreError(.cannotOpen, "there is no database at \(path)")
    }
    self.path = path
    file = try DatabaseFile(path: path)
    pool = try SQLiteConnections.open(file)
  }

  /// Call it last; without it, the next to open the file has a little more to do.
  package func close() throws(StoreError) {
    defer { file.release() }
    do { try pool.close() } catch { throw StoreError(error, while: "close \(path)", otherwise: .writeFailed) }
  }

  // MARK: The signed history

  /// Writes every signed digest to `write` as a signed history of `operatorAddress`.
  ///
  /// - Parameter skipsDamaged: Whether damaged records are left out and counted. Otherwise throws `.damaged` rather than leave one
  ///   out.
  package func exportHistory(
    of operatorAddress: EthereumAddress, at time: UnixMilliseconds, skipsDamaged: Bool = false,
    to write: @escaping (Data) throws -> Void
  ) throws(StoreError) -> HistoryExport.Summary {
    do {
      // Nobody else writes while the database is open here. The end of a transaction would report damage that was read round again.
      return try pool.unsafeRead { database in
        var export = HistoryExport(
          skipsDamaged: skipsDamaged,
          writer: try SignedHistoryWriter(operatorAddress: operatorAddress, exportedAt: time, write: write))
        return try export.run(database)
      }
    } catch {
      throw StoreError(error, while: "export the signed history of \(path)", otherwise: .readFailed)
    }
  }

  /// What an import did.
  package struct Import: Sendable, Equatable {
    /// Entries that were new here.
    package var added = 0
    /// Entries that were known here, with the same digest.
    package var known = 0

    package init(added: Int = 0, known: Int = 0) {
      self.added = added
      self.known = known
    }
  }

  /// Merges a signed history into the database, record by record in one transaction: all of it, durably, or nothing.
  ///
  /// - Parameter read: The bytes of the document that follow those it returned last; empty at the end.
  package func importHistory(
    of operatorAddress: EthereumAddress, read: @escaping () throws -> Data
  ) throws(HistoryError) -> Import {
    var reader = SignedHistoryReader(of: operatorAddress, read: read)
    var (outcome, conflicts) = (Import(), [HistoryError.Conflict]())
    do {
      try pool.writeWithoutTransaction { database in
        try database.inTransaction(.immediate) {
          try reader.readEntries { entry in
            switch try DigestStatements.record(entry.record, database) {
            case .recorded: outcome.added += 1
            case .sameAsRecorded: outcome.known += 1
            case .conflict(let recorded):
              conflicts.append(.init(taskId: entry.taskId, recorded: recorded, imported: entry.digest))
            }
          }
          return conflicts.isEmpty ? .commit : .rollback
        }
      }
    } catch let error as HistoryError {
      throw error
    } catch {
      throw .store(StoreError(error, while: "import the signed history into \(path)", otherwise: .writeFailed))
    }
    guard conflicts.isEmpty else { throw .conflicts(conflicts) }
    return outcome
  }

  // MARK: Space

  /// Sizes of a database before and after it was compacted, in bytes, its write-ahead log included.
  package struct Compaction: Sendable, Equatable {
    package var before: Int64
    package var after: Int64
  }

  /// Writes the database anew without the room that deleted records left. Needs about as much room as the database has, for a while.
  package func compact() throws(StoreError) -> Compaction {
    let before = size
    do {
      try pool.barrierWriteWithoutTransaction { database in
        try database.execute(sql: "VACUUM")
        try database.checkpoint(.truncate)
      }
    } catch {
      throw StoreError(error, while: "compact \(path)", otherwise: .writeFailed)
    }
    return Compaction(before: before, after: size)
  }

  private var size: Int64 { [path, path + "-wal"].reduce(0) { $0 + FileSize.bytes($1) } }
}
