import Foundation
import GRDB
import Logging
import PonosCore
import PonosStoreTesting
import PonosTesting
import Synchronization
import Testing

@testable import PonosConfiguration
@testable import PonosExecutor
@testable import PonosStore
@testable import PonosSystem
@testable import PonosTelemetry

/// The chores around the store: checks and backups. Retention is in `StoreMaintenanceTests`.
@Suite struct StoreServicesTests {
  private let directory: TemporaryDirectory
  private let path: String
  private let registry = PrometheusRegistry()
  private let metrics: ExecutorMetrics
  private let observe: @Sendable (StoreEvent) -> Void
  private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  init() throws {
    directory = try TemporaryDirectory()
    path = directory.file("store.sqlite")
    metrics = ExecutorMetrics(registry: registry, avs: [], version: "test")
    observe = { [metrics] in metrics.store($0) }
  }

  private func shows(_ line: String) -> Bool { registry.text().split(separator: "\n").contains { $0 == line } }

  @Test("a check that finds damage says so in readiness and metrics, and a later one that finds none takes it back")
  func checkThatFindsDamageSaysSoInReadinessAndMetrics() async throws {
    let store = try SQLiteStore.open(path: path)
    _ = try await store.record(StoreRecords.signedDigest(task: 1, digest: 1), output: [])
    let condition = StoreCondition()
    let service = StoreCheckService(store: store, condition: condition, observe: observe, logger: logger)
    await service.check()
    #expect(condition.obstacle == nil)
    #expect(condition.findings?.records == 1)
    #expect(shows("ponos_store_intact 1"))

    try await change("UPDATE signed_digest SET recorded_at = recorded_at + 1")
    await service.check()
    #expect(condition.obstacle?.contains("state verify") == true)
    #expect(shows("ponos_store_intact 0"))

    try await change("UPDATE signed_digest SET recorded_at = recorded_at - 1")
    await service.check()
    #expect(condition.obstacle == nil)
    #expect(shows("ponos_store_intact 1"))
    try await store.close()
    await service.check()
    #expect(condition.obstacle == nil, "a check that cannot be made says nothing")
  }

  private func change(_ sql: String) async throws {
    let queue = try DatabaseQueue(path: path)
    try await queue.write { try $0.execute(sql: sql) }
    try queue.close()
  }

  @Test("checks begin a while after the start and come back every interval")
  func checksBeginWhileAfterStartAndComeBack() async throws {
    let pauses = Mutex<[Duration]>([])
    let service = StoreCheckService(
      store: MemoryStore(), condition: StoreCondition(), observe: observe, delay: .seconds(60), interval: .seconds(3600),
      logger: logger,
      sleep: { pause in
        if pauses.withLock({
          $0.append(pause); return $0.count
        }) == 3 {
          throw CancellationError()
        }
      })
    try await service.run()
    #expect(pauses.withLock { $0 } == [.seconds(60), .seconds(3600), .seconds(3600)])
  }

  @Test("copies are made on time, over restarts too, and the newest are kept")
  func copiesAreMadeOnTime() async throws {
    try await SQLiteStore.open(path: path).close()
    let now = Mutex(Date(timeIntervalSince1970: 1_700_000_000))
    let pauses = Mutex<[Duration]>([])
    let target = directory.file("copies/daily")
    @Sendable func service(_ turns: Int) -> BackupService {
      pauses.withLock { $0 = [] }
      return BackupService(
        database: path, settings: .init(directory: target, interval: .seconds(3600), keep: 2), observe: observe,
        logger: logger, now: { now.withLock { $0 } },
        sleep: { pause in
          let count = pauses.withLock {
            $0.append(pause); return $0.count
          }
          if count > turns { throw CancellationError() }
          now.withLock { $0 += pause / .seconds(1) }
        })
    }
    try await service(1).run()
    #expect(pauses.withLock { $0 } == [.zero, .seconds(3600)])
    #expect(shows("ponos_store_last_backup_timestamp_seconds 1700000000"))
    now.withLock { $0 += 600 }
    try FileManager.default.createDirectory(atPath: target + "/executor-mine.db", withIntermediateDirectories: false)
    try await service(3).run()
    #expect(pauses.withLock { $0 } == [.seconds(3000), .seconds(3600), .seconds(3600), .seconds(3600)])
    let copies = try FileManager.default.contentsOfDirectory(atPath: target).sorted()
    #expect(copies == ["executor-20231115T001320Z.db", "executor-20231115T011320Z.db", "executor-mine.db"])
    for copy in copies.prefix(2) { #expect(try StoreVerification.run(path: target + "/" + copy).isIntact) }
    let mode = try FileManager.default.attributesOfItem(atPath: target)[.posixPermissions] as? Int
    #expect(mode == 0o700)
  }

  @Test("a stop ends a backup and a check that are under way, and says nothing of either")
  func stopEndsBackupAndCheckThatAreUnderWay() async throws {
    let store = try SQLiteStore.open(path: path)
    for number in 0..<40 {
      _ = try await store.accept(StoreRecords.task(number, submission: [UInt8](repeating: 1, count: 200_000)))
    }
    let condition = StoreCondition()
    let check = StoreCheckService(store: store, condition: condition, observe: observe, logger: logger)
    let target = directory.file("copies")
    let backup = BackupService(
      database: path, settings: .init(directory: target, interval: .seconds(60), keep: 2), observe: observe, logger: logger
    )
    await withTaskGroup(of: Void.self) { group in
      group.cancelAll()
      group.addTask { await check.check() }
      group.addTask { #expect(await backup.backUp() == false) }
    }
    #expect(condition.findings == nil)
    #expect(try FileManager.default.contentsOfDirectory(atPath: target) == [])
    #expect(!registry.text().contains("ponos_store_backup_failures_total 1"))
    #expect(await backup.backUp())
    try await store.close()
  }

  @Test("what a killed backup left behind goes at the next start, and nothing else does")
  func whatKilledBackupLeftBehindGoesAtNextStart() async throws {
    let target = directory.file("copies")
    try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
    let kept = [".executor-mine.db.7.partial", ".other.db.7.partial", "executor-20231115T001320Z.db.partial"]
    let left = [".executor-20231115T001320Z.db.17.partial", ".executor-20231115T001320Z.db.17.partial-journal"]
    for name in kept + left { FileManager.default.createFile(atPath: target + "/" + name, contents: Data()) }
    let service = BackupService(
      database: path, settings: .init(directory: target, interval: .seconds(60), keep: 2), observe: observe,
      logger: logger, sleep: { _ in throw CancellationError() })
    try await service.run()
    #expect(try FileManager.default.contentsOfDirectory(atPath: target).sorted() == kept.sorted())
  }

  @Test("a backup that fails is counted, and tried again before its next turn")
  func backupThatFailsIsCounted() async throws {
    let pauses = Mutex<[Duration]>([])
    let service = BackupService(
      database: directory.file("missing.sqlite"),
      settings: .init(directory: directory.file("copies"), interval: .seconds(86_400), keep: 2), observe: observe,
      logger: logger,
      sleep: { pause in
        if pauses.withLock({
          $0.append(pause); return $0.count
        }) == 3 {
          throw CancellationError()
        }
      })
    try await service.run()
    #expect(pauses.withLock { $0 } == [.zero, .seconds(600), .seconds(600)])
    #expect(shows("ponos_store_backup_failures_total 2"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory.file("copies")) == [])
  }

  @Test("digests are forgotten after their own retention, and without one never")
  func digestsAreForgottenAfterTheirOwnRetention() async throws {
    let day: Int64 = 86_400_000
    let store = MemoryStore()
    for number in 1...2 {
      var digest = StoreRecords.signedDigest(task: number, digest: number)
      digest.recordedAt = Int64(number) * day
      _ = try await store.record(digest, output: [])
    }
    let now: @Sendable () -> UnixMilliseconds = { 41 * day + 1 }
    let clock = TaskClock(monotonic: now, unix: now)
    try await StoreMaintenance(store: store, retention: .seconds(7 * 86_400), logger: logger, clock: clock).maintain()
    #expect(try await store.signedDigest(of: StoreRecords.taskID(1)) != nil)
    try await StoreMaintenance(
      store: store, retention: .seconds(7 * 86_400), digestRetention: .seconds(40 * 86_400), logger: logger, clock: clock
    ).maintain()
    #expect(try await store.signedDigest(of: StoreRecords.taskID(1)) == nil)
    #expect(try await store.signedDigest(of: StoreRecords.taskID(2)) != nil)
  }
}
