import Foundation
import PonosCore
import PonosTesting
import Testing

@testable import PonosExecutor

/// A start after a kill with many tasks accepted: all of them are back, in order, before anything is let in. `Benchmarks` has the
/// figure in release mode, for a hundred thousand. `PONOS_RECOVERY_TASKS` sets how many there are here.
@Suite struct RecoveryCostTests {
  typealias Rig = PipelineRig

  private static let tasks = ProcessInfo.processInfo.environment["PONOS_RECOVERY_TASKS"].flatMap { Int($0) } ?? 10_000

  @Test(.timeLimit(.minutes(5))) func everyTaskIsBackInOrder() async throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("store.sqlite")
    let store = try SQLiteStore.open(path: path)
    let clock = TestClock()
    let count = Self.tasks
    // Unsigned: what is recovered was verified before it was written.
    for start in stride(from: 0, to: count, by: 256) {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in start..<min(start + 256, count) {
          group.addTask {
            let record = try Rig.unverified(number, payloadBytes: 1024, acceptedAt: clock.unixMilliseconds)
            #expect(try await store.accept(record).isAccepted)
          }
        }
        try await group.waitForAll()
      }
    }
    let order = try await store.unfinishedTasks().map(\.id)
    try await store.record(.executing(performerID: "gone", attempt: 1), for: order[count / 2])
    // A kill: the files as they are, the log included.
    let killed = directory.file("killed.sqlite")
    for suffix in ["", "-wal"] { try FileManager.default.copyItem(atPath: path + suffix, toPath: killed + suffix) }
    try await store.close()

    let start = ContinuousClock.now
    let again = try SQLiteStore.open(path: killed)
    let opened = ContinuousClock.now
    let rig = try Rig(store: again, clock: clock)
    try await rig.stateRecovery.recoverTasks()
    let recovered = ContinuousClock.now
    print("recovery of \(count) tasks: store \((opened - start).seconds) s, tasks \((recovered - opened).seconds) s")
    #expect(rig.queue.depths == [Rig.avs: count])
    #expect(rig.flights.count == count)
    // One performer with one slot is asked for them in the order of their acceptance.
    let performer = FakePerformer.echo()
    try await rig.run { rig in
      rig.publish(performer, capacity: 1)
      try await eventually(within: .seconds(60)) { performer.calls.count >= 300 }
    }
    #expect(performer.calls.prefix(300).elementsEqual(order.prefix(300)))
    try await again.close()
  }
}
