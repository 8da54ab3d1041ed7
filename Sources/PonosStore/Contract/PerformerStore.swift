import PonosCore

/// The performers that should exist, and the installation whose containers they are.
package protocol PerformerStore: Sendable {
  /// Inserts the record, or replaces the one with its id.
  func save(_ performer: PerformerRecord) async throws(StoreError)
  /// Does nothing for an unknown id.
  func deletePerformer(id: String) async throws(StoreError)
  /// All of them, oldest first.
  func performers() async throws(StoreError) -> [PerformerRecord]
  /// Labels the containers that are ours: a random UUID made when the database was first opened; see `MemoryStore` for others.
  func installationID() async throws(StoreError) -> String
}
