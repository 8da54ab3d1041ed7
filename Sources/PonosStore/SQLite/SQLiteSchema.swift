import Foundation
import GRDB
import PonosCore

/// The tables of the database and how each version became the next.
///
/// The file says itself whose it is and how far it has come, in two fields of its header: `application_id` and `user_version`,
/// the number of migrations applied. Both change in the transaction of the migration.
package enum SQLiteSchema {
  /// One step, applied in a transaction of its own. Steps are only ever added; their order is the version number.
  package struct Migration: Sendable {
    package let name: String
    package let apply: @Sendable (Database) throws -> Void
  }

  /// "Pono" in ASCII.
  package static let applicationID: Int32 = 0x506f_6e6f

  package static let migrations: [Migration] = [
    Migration(name: "tasks, digests, performers", apply: createTables),
    Migration(name: "outputs that wait for their signature", apply: addOutput),
    Migration(name: "images of performers", apply: addImages),
    Migration(name: "replicas of performers", apply: addReplicas),
    Migration(name: "seals of records", apply: SealMigration.apply),
    Migration(name: "outcomes that wait for aggregators", apply: addDeliveries),
    Migration(name: "digests in the rows of their tasks", apply: DigestMigration.apply),
  ]

  /// The version this program writes.
  package static var version: Int { migrations.count }

  /// Refuses a database that is another program's, or that a later version of this one has written. Reads only.
  package static func check(_ database: Database, path: String) throws(StoreError) {
    let (owner, version, objects) = try header(of: database, path: path)
    if owner == 0, version == 0, objects == 0 { return }
    guard owner == applicationID else {
      throw StoreError(
        .cannotOpen,
        "\(path) is a database of another program (application id \(owner)); give storage.path a file of its own")
    }
    guard version <= Self.version else {
      throw StoreError(
        .cannotOpen,
        "\(path) has schema version \(version) and this executor knows up to \(Self.version); "
          + "use the newer executor that wrote it, or restore a backup made before the upgrade")
    }
  }

  /// Applies what is missing.
  package static func migrate(_ database: Database, path: String) throws(StoreError) {
    let (_, version, _) = try header(of: database, path: path)
    for (index, migration) in migrations.enumerated().dropFirst(version) {
      do {
        try database.inTransaction(.immediate) {
          try migration.apply(database)
          try database.execute(sql: "PRAGMA application_id = \(applicationID)")
          try database.execute(sql: "PRAGMA user_version = \(index + 1)")
          return .commit
        }
      } catch {
        throw StoreError(
          error, while: "bring \(path) to schema version \(index + 1) (\(migration.name))", otherwise: .cannotOpen)
      }
    }
  }

  private static func header(
    of database: Database, path: String
  ) throws(StoreError) -> (applicationID: Int32, version: Int, objects: Int) {
    do {
      return (
        try Int32.fetchOne(database, sql: "PRAGMA application_id") ?? 0,
        try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0,
        try Int.fetchOne(database, sql: "SELECT COUNT(*) FROM sqlite_master") ?? 0
      )
    } catch {
      throw StoreError(error, while: "read \(path)", otherwise: .cannotOpen)
    }
  }

  // MARK: Version 1

  /// The submission has a table of its own because SQLite writes a changed row anew: a task that moves on must not rewrite
  /// megabytes. `AUTOINCREMENT` keeps sequence numbers from being used again after tasks are deleted. A failure's message may
  /// quote a performer and so hold any character; as text it would end at a NUL.
  private static func createTables(_ database: Database) throws {
    try database.execute(
      sql: """
        CREATE TABLE installation (
          singleton INTEGER PRIMARY KEY CHECK (singleton = 1),
          id TEXT NOT NULL,
          created_at INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE task (
          sequence INTEGER PRIMARY KEY AUTOINCREMENT,
          id BLOB NOT NULL UNIQUE,
          content_hash BLOB NOT NULL,
          avs BLOB NOT NULL,
          operator_set INTEGER NOT NULL,
          aggregator BLOB NOT NULL,
          priority INTEGER NOT NULL,
          accepted_at INTEGER NOT NULL,
          deadline INTEGER NOT NULL,
          phase TEXT NOT NULL,
          attempt INTEGER NOT NULL,
          performer_id TEXT,
          finished_at INTEGER,
          failure_code TEXT,
          failure_message BLOB,
          result BLOB
        ) STRICT;
        CREATE INDEX task_unfinished ON task (sequence) WHERE finished_at IS NULL;
        CREATE INDEX task_finished ON task (finished_at) WHERE finished_at IS NOT NULL;

        CREATE TABLE submission (
          sequence INTEGER PRIMARY KEY REFERENCES task ON DELETE CASCADE,
          bytes BLOB NOT NULL
        ) STRICT;

        CREATE TABLE signed_digest (
          task_id BLOB PRIMARY KEY,
          avs BLOB NOT NULL,
          operator_set INTEGER NOT NULL,
          curve TEXT NOT NULL,
          digest BLOB NOT NULL,
          recorded_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE performer (
          ordinal INTEGER PRIMARY KEY,
          id TEXT NOT NULL UNIQUE,
          spec TEXT NOT NULL,
          origin TEXT NOT NULL,
          role TEXT NOT NULL,
          deployment_id TEXT NOT NULL,
          generation INTEGER NOT NULL,
          container_id TEXT,
          created_at INTEGER NOT NULL
        ) STRICT;
        """)
    try database.execute(
      sql: "INSERT INTO installation (singleton, id, created_at) VALUES (1, ?, ?)",
      arguments: [UUID().uuidString.lowercased(), UnixMilliseconds(Date().timeIntervalSince1970 * 1000)])
  }

  // MARK: Version 2

  private static func addOutput(_ database: Database) throws {
    try database.execute(sql: "ALTER TABLE task ADD COLUMN output BLOB")
  }

  // MARK: Version 3

  private static func addImages(_ database: Database) throws {
    try database.execute(sql: "ALTER TABLE performer ADD COLUMN image_id TEXT")
  }

  // MARK: Version 4

  private static func addReplicas(_ database: Database) throws {
    try database.execute(sql: "ALTER TABLE performer ADD COLUMN replica INTEGER NOT NULL DEFAULT 0")
  }
}
