import GRDB

/// The statements about the installation, and trial writes.
enum InstallationStatements {
  static func installationID(_ database: Database) throws -> String {
    guard let row = try Row.fetchOne(database, sql: "SELECT id, seal FROM installation") else {
      throw StoreError(.damaged, "the installation id is missing in the database; restore a backup")
    }
    let columns = StoredColumns(row: row, subject: "the installation")
    let id = try columns.text(0)
    try columns.check(seal: 1, is: RecordSeals.installation(id: id))
    return id
  }

  /// Bytes of a trial write: enough that a disk with room for them has room for most tasks.
  private static let trialBytes = 256 << 10

  static func writeTrial(_ database: Database) throws {
    try database.cachedStatement(sql: "INSERT OR REPLACE INTO trial (singleton, bytes) VALUES (1, zeroblob(?))")
      .execute(arguments: [trialBytes])
  }

  static func removeTrial(_ database: Database) throws {
    try database.cachedStatement(sql: "DELETE FROM trial").execute()
  }
}
