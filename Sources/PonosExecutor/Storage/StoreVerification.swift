import Foundation
import GRDB

/// Checks a database file, or a backup of one, without changing it. Safe while a daemon has it.
package enum StoreVerification {
  /// What is wrong with the file at `path`; throws when it cannot be read as a database of ours at all. Blocks.
  package static func run(
    path: String, progress: @escaping (_ records: Int) -> Void = { _ in }
  ) throws(StoreError) -> StoreFindings {
    guard FileManager.default.fileExists(atPath: path) else {
      throw StoreError(.cannotOpen, "there is no database at \(path)")
    }
    do {
      var reading = GRDB.Configuration()
      reading.readonly = true
      reading.busyMode = .timeout(10)
      let queue = try DatabaseQueue(path: path, configuration: reading)
      let findings = try queue.read { database in
        try SQLiteSchema.check(database, path: path)
        guard try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0 > 0 else {
          throw StoreError(.cannotOpen, "\(path) is empty")
        }
        return try StoreCheck(depth: .full, progress: progress).findings(in: database)
      }
      try queue.close()
      return findings
    } catch {
      throw StoreError(error, while: "check \(path)", otherwise: .readFailed)
    }
  }
}
