import PonosCore
import PonosStore
import Testing

/// What every store does for outcomes that wait, as cases to be run one by one on a fresh store.
package enum DeliveryConformance {
  package typealias Store = any ExecutorStore

  package struct Case: Sendable, CustomTestStringConvertible {
    package let name: String
    package let run: @Sendable (Store) async throws -> Void
    package var testDescription: String { name }
  }

  package static let cases: [Case] = [
    Case(name: "an outcome waits from the end of its task to its acknowledgement", run: life),
    Case(name: "outcomes come in the order of their ends, in pages", run: pages),
    Case(name: "bytes bound a page, but never to nothing", run: bytes),
    Case(name: "an outcome is its own aggregator's and AVS's alone", run: owners),
    Case(name: "a known task can be waited for, again and again", run: expectations),
    Case(name: "an acknowledgement before the end counts for nothing", run: earlyAcknowledgement),
    Case(name: "retention takes waiting outcomes along", run: retention),
  ]

  private static func task(_ number: Int, isStreamed: Bool = true, owner: Int = 0) -> AcceptedTaskRecord {
    var task = StoreRecords.task(number)
    task.isStreamed = isStreamed
    task.aggregator = StoreRecords.address(100 + owner)
    task.operatorSet = OperatorSet(avs: StoreRecords.address(200 + owner), id: 1)
    return task
  }

  private static func owner(_ number: Int = 0) -> TaskOwner {
    TaskOwner(aggregator: StoreRecords.address(100 + number), avs: StoreRecords.address(200 + number))
  }

  private static func ids(
    _ store: Store, excluding: Set<TaskID> = [], limit: Int = 100, bytes: Int = .max, owner: Int = 0
  ) async throws -> [TaskID] {
    try await store.deliveries(for: self.owner(owner), excluding: excluding, limit: limit, bytes: bytes).tasks.map(\.id)
  }

  @Sendable private static func life(_ store: Store) async throws {
    let (streamed, other) = (task(1), task(2, isStreamed: false))
    for task in [streamed, other] { _ = try await store.accept(task) }
    #expect(try await ids(store) == [])
    for task in [streamed, other] { try await store.record(.signed(result: [1, 2], at: 50), for: task.id) }
    let page = try await store.deliveries(for: owner(), excluding: [], limit: 10, bytes: 100)
    #expect(page.tasks.map(\.id) == [streamed.id] && page.isAll)
    #expect(page.tasks.first?.result == [1, 2] && page.tasks.first?.phase == .signed)
    try await store.acknowledge([streamed.id], by: owner())
    #expect(try await ids(store) == [])
    #expect(try await store.task(streamed.id)?.result == [1, 2])
  }

  @Sendable private static func pages(_ store: Store) async throws {
    for number in 1...6 { _ = try await store.accept(task(number)) }
    for (number, time) in [(3, 10), (1, 20), (6, 30), (2, 40)] as [(Int, Int64)] {
      try await store.record(.failed(StoredFailure(code: "c", message: "m"), at: time), for: StoreRecords.taskID(number))
    }
    let order = [3, 1, 6, 2].map { StoreRecords.taskID($0) }
    #expect(try await ids(store) == order)
    let first = try await store.deliveries(for: owner(), excluding: [], limit: 3, bytes: .max)
    #expect(first.tasks.map(\.id) == Array(order[..<3]) && !first.isAll)
    let rest = try await store.deliveries(for: owner(), excluding: Set(order[..<3]), limit: 3, bytes: .max)
    #expect(rest.tasks.map(\.id) == [order[3]] && rest.isAll)
    #expect(try await ids(store, excluding: [order[0], order[2]], limit: 1) == [order[1]])
  }

  @Sendable private static func bytes(_ store: Store) async throws {
    for number in 1...3 {
      _ = try await store.accept(task(number))
      let result = [UInt8](repeating: 7, count: 100)
      try await store.record(.signed(result: result, at: Int64(number)), for: StoreRecords.taskID(number))
    }
    #expect(try await ids(store, bytes: 250).count == 2)
    let page = try await store.deliveries(for: owner(), excluding: [], limit: 10, bytes: 1)
    #expect(page.tasks.count == 1 && !page.isAll)
  }

  @Sendable private static func owners(_ store: Store) async throws {
    for number in 0...1 {
      _ = try await store.accept(task(number + 1, owner: number))
      try await store.record(.signed(result: [1], at: 5), for: StoreRecords.taskID(number + 1))
    }
    var mixed = owner(0)
    mixed.avs = owner(1).avs
    let none = try await store.deliveries(for: mixed, excluding: [], limit: 10, bytes: .max)
    #expect(none.tasks.isEmpty)
    #expect(try await store.expectDelivery(of: StoreRecords.taskID(1), to: owner(1)) == .unknown)
    try await store.acknowledge([StoreRecords.taskID(1)], by: owner(1))
    #expect(try await ids(store) == [StoreRecords.taskID(1)])
    #expect(try await ids(store, owner: 1) == [StoreRecords.taskID(2)])
  }

  @Sendable private static func expectations(_ store: Store) async throws {
    let task = task(1, isStreamed: false)
    #expect(try await store.expectDelivery(of: task.id, to: owner()) == .unknown)
    _ = try await store.accept(task)
    #expect(try await store.expectDelivery(of: task.id, to: owner()) == .unfinished)
    #expect(try await store.expectDelivery(of: task.id, to: owner()) == .unfinished)
    #expect(try await ids(store) == [])
    try await store.record(.signed(result: [1], at: 5), for: task.id)
    #expect(try await ids(store) == [task.id])
    try await store.acknowledge([task.id], by: owner())
    #expect(try await store.expectDelivery(of: task.id, to: owner()) == .finished)
    #expect(try await ids(store) == [task.id])
  }

  @Sendable private static func earlyAcknowledgement(_ store: Store) async throws {
    let task = task(1)
    _ = try await store.accept(task)
    try await store.acknowledge([task.id, StoreRecords.taskID(9)], by: owner())
    try await store.record(.signed(result: [1], at: 5), for: task.id)
    #expect(try await ids(store) == [task.id])
  }

  @Sendable private static func retention(_ store: Store) async throws {
    _ = try await store.accept(task(1))
    try await store.record(.signed(result: [1], at: 5), for: StoreRecords.taskID(1))
    #expect(try await store.deleteTasks(finishedBefore: 6) == 1)
    #expect(try await ids(store) == [])
  }
}
