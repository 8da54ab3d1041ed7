import Foundation
import GRDB
import PonosCore

/// Copies the signed digests of a database into a signed history, piece by piece.
package struct HistoryExport {
  /// What came of an export.
  package struct Summary: Sendable, Equatable {
    /// Records in the document.
    package var entries = 0
    /// Damaged records that were left out.
    package var skipped = 0
    /// Whether SQLite could not read a part of the table. How many records were there nobody knows.
    package var hasGap = false

    /// Whether the document has every digest.
    package var isComplete: Bool { skipped == 0 && !hasGap }
  }

  /// Entries encoded at a time.
  private static let step = 5000

  private let skipsDamaged: Bool
  private var writer: SignedHistoryWriter
  private var batch: [SignedHistory.Entry] = []
  private var summary = Summary()
  /// Key of the row that was read last.
  private var last = Data()

  /// - Parameter skipsDamaged: Whether what is damaged is left out; otherwise it is an error.
  init(skipsDamaged: Bool, writer: SignedHistoryWriter) {
    self.skipsDamaged = skipsDamaged
    self.writer = writer
  }

  /// Copies everything there is: digests that have a row of their own, then those in the rows of tasks, each in the order of task ids.
  /// What stands behind a page that SQLite cannot read follows from the other end.
  mutating func run(_ database: Database) throws -> Summary {
    for source in ["SELECT * FROM (\(DigestRow.selection))", "SELECT * FROM (\(DigestRow.selectionFromTasks))"] {
      last = Data()
      if try !reads(database, "\(source) ORDER BY task_id") {
        summary.hasGap = true
        _ = try reads(database, "\(source) WHERE task_id > ? ORDER BY task_id DESC", arguments: [last])
      }
    }
    try writer.add(batch)
    summary.entries = try writer.finish()
    return summary
  }

  /// Copies the rows of a query; returns false when SQLite cannot read on.
  private mutating func reads(_ database: Database, _ query: String, arguments: StatementArguments = []) throws -> Bool {
    do {
      let rows = try Row.fetchCursor(database, sql: query, arguments: arguments)
      while let row = try rows.next() { try add(row) }
      return true
    } catch let error as DatabaseError where skipsDamaged && [.SQLITE_CORRUPT, .SQLITE_IOERR].contains(error.resultCode) {
      return false
    }
  }

  private mutating func add(_ row: Row) throws {
    do {
      let record = try DigestRow.record(row)
      // Of a record that is sound: the key of another one could be anything, and the way back would end at it.
      last = Data(record.taskID.bytes)
      batch.append(SignedHistory.Entry(record))
    } catch let error as StoreError where skipsDamaged && error.code == .damaged {
      summary.skipped += 1
    }
    guard batch.count == Self.step else { return }
    try writer.add(batch)
    batch.removeAll(keepingCapacity: true)
  }
}
