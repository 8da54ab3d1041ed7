import PonosCore
import PonosExecutor
import PonosTesting
import Testing

@Suite struct DeliveryStoreTests {
  @Test("MemoryStore:", arguments: DeliveryConformance.cases)
  func memory(_ conformance: DeliveryConformance.Case) async throws {
    try await conformance.run(MemoryStore())
  }

  @Test("SQLiteStore:", arguments: DeliveryConformance.cases)
  func sqlite(_ conformance: DeliveryConformance.Case) async throws {
    let directory = try TemporaryDirectory()
    let store = try SQLiteStore.open(path: directory.file("store.sqlite"))
    try await conformance.run(store)
    try await store.close()
  }

  @Test func outcomesWaitOverARestart() async throws {
    let directory = try TemporaryDirectory()
    let first = try SQLiteStore.open(path: directory.file("store.sqlite"))
    var task = StoreRecords.task(1)
    task.isStreamed = true
    _ = try await first.accept(task)
    try await first.close()
    let second = try SQLiteStore.open(path: directory.file("store.sqlite"))
    try await second.record(.signed(result: [4], at: 9), for: task.id)
    try await second.close()
    let third = try SQLiteStore.open(path: directory.file("store.sqlite"))
    let page = try await third.deliveries(for: task.party, excluding: [], limit: 5, bytes: 100)
    #expect(page.tasks.map(\.id) == [task.id])
    try await third.close()
  }
}
