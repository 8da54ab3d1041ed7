import Foundation
import GRDB

/// Checks a database file, or a backup of one, without changing it. Safe while a daemon has it.
package enum StoreVerification {
  /// What is wrong with the file at `path`; throws when it cannot be read as a database of ours at all. Blocks.
  package static func run(
    path: String, progress: @escaping (_ records: Int) -> Void = { _ in }
  ) throws(StoreError) -> StoreFindings {
    do {
      let queue = try open(path)
      let findings = try queue.read { try Self.findings(in: $0, path, StoreCheck(depth: .full, progress: progress)) }
      try queue.close()
      return findings
    } catch {
      throw StoreError(error, while: "check \(path)", otherwise: .readFailed)
    }
  }

  /// The same, as thoroughly as `depth` says, for a caller that must not be blocked and may be cancelled: the check ends then.
  static func run(path: String, depth: StoreCheck.Depth) async throws(StoreError) -> StoreFindings {
    do {
      // A connection of its own: a cancelled read interrupts what its connection does.
      let queue = try open(path)
      let findings = try await queue.read { try Self.findings(in: $0, path, StoreCheck(depth: depth)) }
      try queue.close()
      return findings
    } catch {
      throw StoreError(error, while: "check \(path)", otherwise: .readFailed)
    }
  }

  private static func open(_ path: String) throws -> DatabaseQueue {
    guard FileManager.default.fileExists(atPath: path) else {
      throw StoreError(.cannotOpen, "there is no database at \(path)")
    }
    var reading = GRDB.Configuration()
    reading.readonly = true
    reading.busyMode = .timeout(10)
    return try DatabaseQueue(path: path, configuration: reading)
  }

  private static func findings(in database: Database, _ path: String, _ check: StoreCheck) throws -> StoreFindings {
    try SQLiteSchema.check(database, path: path)
    guard try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0 > 0 else {
      throw StoreError(.cannotOpen, "\(path) is empty")
    }
    return try check.findings(in: database)
  }
}
