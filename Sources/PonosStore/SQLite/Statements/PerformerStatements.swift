import GRDB

/// The statements about performers.
enum PerformerStatements {
  static func save(_ performer: PerformerRecord, _ database: Database) throws {
    try database.cachedStatement(
      sql: """
        INSERT INTO performer (
          id, spec, origin, role, deployment_id, generation, container_id, image_id, created_at, replica, seal)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET
          spec = excluded.spec, origin = excluded.origin, role = excluded.role, deployment_id = excluded.deployment_id,
          generation = excluded.generation, container_id = excluded.container_id, image_id = excluded.image_id,
          created_at = excluded.created_at, replica = excluded.replica, seal = excluded.seal
        """
    ).execute(arguments: try PerformerRow.arguments(performer))
  }

  static func deletePerformer(id: String, _ database: Database) throws {
    try database.cachedStatement(sql: "DELETE FROM performer WHERE id = ?").execute(arguments: [id])
  }

  static func performers(_ database: Database) throws -> [PerformerRecord] {
    let statement = try database.cachedStatement(sql: "\(PerformerRow.selection) ORDER BY created_at, ordinal")
    return try Array(Row.fetchCursor(statement).map { try PerformerRow.record($0) })
  }
}
