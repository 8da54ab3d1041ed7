import GRDB
import PonosCore
import PonosStore
import PonosStoreTesting
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
    let page = try await third.deliveries(for: task.owner, excluding: [], limit: 5, bytes: 100)
    #expect(page.tasks.map(\.id) == [task.id])
    try await third.close()
  }

  @Test(
    "a damaged row that an aggregator asks for is an error, not the end", arguments: ["finished_at = 'x'", "finished_at = x'01'"])
  func damagedExpectation(change: String) async throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("store.sqlite")
    let store = try SQLiteStore.open(path: path)
    let task = StoreRecords.task(1)
    _ = try await store.accept(task)
    try await store.close()
    let queue = try DatabaseQueue(path: path)
    try await queue.writeWithoutTransaction { database in
      // Types are checked on the way in, and disks do not ask.
      try database.execute(
        sql: """
          PRAGMA writable_schema = ON;
          UPDATE sqlite_master SET sql = replace(sql, 'STRICT', '') WHERE name = 'task';
          PRAGMA writable_schema = RESET;
          UPDATE task SET \(change)
          """)
    }
    try queue.close()
    let damaged = try SQLiteStore.open(path: path)
    await #expect { _ = try await damaged.expectDelivery(of: task.id, to: task.owner) } throws: {
      ($0 as? StoreError)?.code == .damaged
    }
    try await damaged.close()
  }

  @Test func damagedOutcomesHoldUpNoOther() async throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("store.sqlite")
    let store = try SQLiteStore.open(path: path)
    var tasks = (1...3).map { StoreRecords.task($0) }
    for index in tasks.indices {
      tasks[index].isStreamed = true
      (tasks[index].aggregator, tasks[index].operatorSet) = (tasks[0].aggregator, tasks[0].operatorSet)
      _ = try await store.accept(tasks[index])
      try await store.record(.signed(result: [4], at: Int64(index)), for: tasks[index].id)
    }
    try await store.close()
    let queue = try DatabaseQueue(path: path)
    try await queue.write { database in
      try database.execute(sql: "UPDATE task SET result = x'05' WHERE sequence = 1")
      try database.execute(sql: "UPDATE task SET deadline = deadline + 1 WHERE sequence = 2")
    }
    try queue.close()
    let damaged = try SQLiteStore.open(path: path)
    let page = try await damaged.deliveries(for: tasks[0].owner, excluding: [], limit: 1, bytes: 100)
    #expect(page.tasks.map(\.id) == [tasks[2].id])
    #expect(page.isAll)
    try await damaged.close()
  }
}
