import Foundation
import GRDB

/// Copies a database as it is at one moment into a file of its own, with SQLite's backup interface. Safe while a daemon writes to it.
package enum StoreBackup {
  /// Pages copied between two reports of progress: 4 MiB.
  private static let pagesPerStep: CInt = 1024

  /// How far a copy has come, in pages of 4 KiB.
  package struct Progress: Sendable {
    package let copied: Int
    package let total: Int
  }

  /// Writes a checked copy of the database at `source` to `target`, which must not exist; mode 0600. `target` appears complete or
  /// not at all. Blocks; returns the copy's size in bytes.
  package static func write(
    from source: String, to target: String, progress: @escaping (Progress) throws -> Void = { _ in }
  ) throws(StoreError) -> Int64 {
    guard FileManager.default.fileExists(atPath: source) else {
      throw StoreError(.cannotOpen, "there is no database at \(source)")
    }
    let file = try PrivateFile(target)
    do {
      try copy(source, to: file.partial, progress)
      try verify(file.partial)
      return try file.commit()
    } catch {
      file.discard()
      throw StoreError(error, while: "back up \(source) to \(target)", otherwise: .writeFailed)
    }
  }

  private static func copy(_ source: String, to partial: String, _ progress: @escaping (Progress) throws -> Void) throws {
    var reading = GRDB.Configuration()
    reading.readonly = true
    reading.busyMode = .timeout(10)
    let from = try DatabaseQueue(path: source, configuration: reading)
    let to = try DatabaseQueue(path: partial)
    // One read transaction: the copy is of one moment, and writers need not wait for it.
    try from.backup(to: to, pagesPerStep: pagesPerStep) { step in
      try progress(Progress(copied: step.completedPageCount, total: step.totalPageCount))
    }
    // A file that is complete in itself, without a write-ahead log beside it.
    try to.writeWithoutTransaction { try $0.execute(sql: "PRAGMA journal_mode = DELETE") }
    try to.close()
    try from.close()
  }

  /// A copy that cannot be relied on is none.
  private static func verify(_ path: String) throws {
    let findings = try StoreVerification.run(path: path)
    guard let first = findings.faults.first else { return }
    throw StoreError(.damaged, "the copy is damaged, and so is the database: \(first); run 'state verify'")
  }
}
