import Logging
import PonosCore
import PonosStore
import PonosStoreTesting
import PonosSystem
import PonosTesting
import Synchronization
import Testing

@Suite struct StoreMaintenanceTests {
  /// What the configuration says unless told otherwise.
  private static let retention = Duration.seconds(7 * 24 * 3600)
  private static let day: Int64 = 24 * 3600 * 1000

  /// Clocks that agree.
  private static func clock(
    _ unix: @escaping @Sendable () -> UnixMilliseconds, sleep: @escaping @Sendable (Duration) async throws -> Void = { _ in }
  ) -> TaskClock {
    TaskClock(monotonic: { unix() - 7 }, unix: unix, sleep: sleep)
  }

  /// A store with a task that ended two days after 1970 began.
  private static func storeWithOneFinishedTask() async throws -> MemoryStore {
    let store = MemoryStore()
    var task = StoreRecords.task(1)
    task.acceptedAt = 2 * day
    _ = try await store.accept(task)
    try await store.record(.signed(result: [1], at: 2 * day), for: task.id)
    return store
  }

  @Test("a clock that is far ahead at the start costs nothing at once")
  func clockAheadAtStart() async throws {
    let store = try await Self.storeWithOneFinishedTask()
    let rounds = Atomic(0)
    let kept = Mutex<[Int]>([])
    let maintenance = StoreMaintenance(
      store: store, retention: Self.retention, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
      clock: Self.clock {
        400 * Self.day
      } sleep: { _ in
        let count = try await store.recentTasks(limit: 5).count
        kept.withLock { $0.append(count) }
        if rounds.add(1, ordering: .relaxed).newValue == 2 { throw CancellationError() }
      })
    try await maintenance.run()
    // A clock that stays there is believed.
    #expect(kept.withLock { $0 } == [1, 0])
  }

  @Test("a clock that was set while the daemon ran is not believed in the next round")
  func clockThatWasSetWhileDaemonRanIsNotBelievedInNext() async throws {
    let store = try await Self.storeWithOneFinishedTask()
    let unix = Mutex(3 * Self.day)
    let monotonic = Mutex<Int64>(0)
    let kept = Mutex<[Int]>([])
    let maintenance = StoreMaintenance(
      store: store, retention: Self.retention, interval: .seconds(3600),
      logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
      clock: TaskClock(
        monotonic: { monotonic.withLock { $0 } }, unix: { unix.withLock { $0 } },
        sleep: { interval in
          let count = try await store.recentTasks(limit: 5).count
          let rounds = kept.withLock {
            $0.append(count); return $0.count
          }
          monotonic.withLock { $0 += interval.milliseconds }
          unix.withLock { $0 += interval.milliseconds + (rounds == 1 ? 50 * Self.day : 0) }
          if rounds == 3 { throw CancellationError() }
        }))
    try await maintenance.run()
    #expect(kept.withLock { $0 } == [1, 1, 0])
  }

  @Test func forgetsFinishedTasksAfterSevenDays() async throws {
    let store = MemoryStore()
    for number in 1...3 { _ = try await store.accept(StoreRecords.task(number)) }
    try await store.record(.signed(result: [1], at: 1 * Self.day), for: StoreRecords.taskID(1))
    try await store.record(.signed(result: [1], at: 1 * Self.day + 1), for: StoreRecords.taskID(2))
    let now = Mutex(8 * Self.day)
    let maintenance = StoreMaintenance(
      store: store, retention: Self.retention, logger: Logger(label: "test"), clock: Self.clock { now.withLock { $0 } })
    try await maintenance.maintain()
    #expect(try await store.recentTasks(limit: 5).count == 3)
    now.withLock { $0 += 1 }
    try await maintenance.maintain()
    #expect(try await store.recentTasks(limit: 5).map(\.id) == [3, 2].map(StoreRecords.taskID))
  }

  @Test func worksAtOnceAndThenEveryInterval() async throws {
    let store = MemoryStore()
    _ = try await store.accept(StoreRecords.task(1))
    try await store.record(.signed(result: [1], at: 0), for: StoreRecords.taskID(1))
    let sleeps = Mutex<[Duration]>([])
    let maintenance = StoreMaintenance(
      store: store, retention: Self.retention, interval: .seconds(60), logger: Logger(label: "test"),
      clock: Self.clock {
        100 * Self.day
      } sleep: { duration in
        if sleeps.withLock({
          $0.append(duration); return $0.count
        }) == 3 {
          throw CancellationError()
        }
        _ = try await store.accept(StoreRecords.task(1))
      })
    try await maintenance.run()
    #expect(sleeps.withLock { $0 } == [.seconds(60), .seconds(60), .seconds(60)])
    #expect(try await store.recentTasks(limit: 5).count == 1)
  }

  @Test func aFailureDoesNotEndIt() async throws {
    let store = MemoryStore()
    try await store.close()
    let rounds = Atomic(0)
    let maintenance = StoreMaintenance(
      store: store, retention: Self.retention, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
      clock: Self.clock {
        0
      } sleep: { _ in
        if rounds.add(1, ordering: .relaxed).newValue == 3 { throw CancellationError() }
      })
    try await maintenance.run()
    #expect(rounds.load(ordering: .relaxed) == 3)
  }

  @Test func deletesMoreThanOneStepAndShortensTheLog() async throws {
    let directory = try TemporaryDirectory()
    let store = try SQLiteStore.open(path: directory.file("store.sqlite"))
    await withTaskGroup { group in
      for number in 0..<1201 {
        group.addTask {
          do throws(StoreError) {
            _ = try await store.accept(StoreRecords.task(number))
            try await store.record(.signed(result: [1], at: 5), for: StoreRecords.taskID(number))
          } catch {
            Issue.record(error)
          }
        }
      }
    }
    #expect(try await store.deleteTasks(finishedBefore: 6) == 1201)
    #expect(try await store.recentTasks(limit: 1) == [])
    try await store.close()
  }
}
