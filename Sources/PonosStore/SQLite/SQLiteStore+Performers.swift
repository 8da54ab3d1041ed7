import Synchronization

extension SQLiteStore: PerformerStore {
  package func save(_ performer: PerformerRecord) async throws(StoreError) {
    try await writer.write("save performer \(performer.id)") { try PerformerStatements.save(performer, $0) }
  }

  package func deletePerformer(id: String) async throws(StoreError) {
    try await writer.write("delete performer \(id)") { try PerformerStatements.deletePerformer(id: id, $0) }
  }

  package func performers() async throws(StoreError) -> [PerformerRecord] {
    try await read("read performers") { try PerformerStatements.performers($0) }
  }

  package func installationID() async throws(StoreError) -> String {
    guard pool.withLock({ $0 != nil }) else { throw Self.closedError("read the installation id") }
    return installation
  }
}
