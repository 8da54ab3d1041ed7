import PonosStore
import PonosStoreTesting
import PonosTesting
import Testing

@Suite struct ExecutorStoreTests {
  @Test("MemoryStore:", arguments: ExecutorStoreConformance.cases)
  func memoryStore(_ conformance: ExecutorStoreConformance.Case) async throws {
    try await conformance.run(MemoryStore())
  }

  @Test("SQLiteStore:", arguments: ExecutorStoreConformance.cases)
  func sqLiteStore(_ conformance: ExecutorStoreConformance.Case) async throws {
    let directory = try TemporaryDirectory()
    let store = try SQLiteStore.open(path: directory.file("store.sqlite"))
    try await conformance.run(store)
    try await store.close()
  }
}
