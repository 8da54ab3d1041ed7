import Foundation
import GRDB
import PonosSystem
import Synchronization

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
    let file = try begin(from: source, to: target)
    do {
      try copy(source, to: file.partial, progress)
      try expectNone(try StoreVerification.run(path: file.partial))
      return try file.commit()
    } catch {
      file.discard()
      throw failure(error, source, target)
    }
  }

  /// The same for a caller that must not be blocked, and that may be cancelled: the copy is given up then.
  static func writeUnlessCancelled(from source: String, to target: String) async throws(StoreError) -> Int64 {
    let file = try begin(from: source, to: target)
    do {
      try await copyUnlessCancelled(source, to: file.partial)
      try expectNone(try await StoreVerification.run(path: file.partial, depth: .full))
      return try await BlockingWork.run { try file.commit() }
    } catch {
      file.discard()
      throw failure(error, source, target)
    }
  }

  private static func copyUnlessCancelled(_ source: String, to partial: String) async throws {
    let isCancelled = Atomic(false)
    try await withTaskCancellationHandler {
      try await BlockingWork.run {
        try copy(source, to: partial) { _ in
          if isCancelled.load(ordering: .relaxed) { throw CancellationError() }
        }
      }
    } onCancel: {
      isCancelled.store(true, ordering: .relaxed)
    }
  }

  private static func begin(from source: String, to target: String) throws(StoreError) -> PrivateFile {
    guard FileManager.default.fileExists(atPath: source) else {
      throw StoreError(.cannotOpen, "there is no database at \(source)")
    }
    return try PrivateFile(target)
  }

  private static func failure(_ error: any Error, _ source: String, _ target: String) -> StoreError {
    StoreError(error, while: "back up \(source) to \(target)", otherwise: .writeFailed)
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
  private static func expectNone(_ findings: StoreFindings) throws {
    guard let first = findings.faults.first else { return }
    throw StoreError(.damaged, "the copy is damaged, and so is the database: \(first); run 'state verify'")
  }
}
