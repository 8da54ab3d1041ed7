import Foundation
import GRDB
import PonosContainers
import PonosContainersTesting
import PonosCore
@testable import PonosExecutor
import PonosStoreTesting
import PonosSystem
import PonosTesting
import Testing
@testable import PonosConfiguration
@testable import PonosStore

/// A start after a kill with a hundred thousand tasks of 1 KiB accepted: all of them are back, in order, and soon after it is accepting
/// again. `Benchmarks` has the figure in release mode. `PONOS_RECOVERY_TASKS` sets how many there are here.
@Suite(.serialized) struct RecoveryCostTests {
  typealias Rig = PipelineRig

  private static let tasks = ProcessInfo.processInfo.environment["PONOS_RECOVERY_TASKS"].flatMap { Int($0) } ?? 100_000
  /// Until the first receipt. Debug code takes a few ten times as long as that of a release, on a machine that does other things too.
  private static var limit: Duration {
    #if DEBUG
      .seconds(60)
    #else
      .seconds(1)
    #endif
  }

  /// A database as a kill leaves it, with tasks that were accepted and not finished, written in a few transactions.
  private static func leave(_ count: Int, at path: String, acceptedAt: UnixMilliseconds) async throws {
    try await SQLiteStore.open(path: path).close()
    let queue = try DatabaseQueue(path: path)
    for start in stride(from: 0, to: count, by: 20_000) {
      try await queue.write { database in
        for number in start..<min(start + 20_000, count) {
          let task = try Rig.unverified(number, payloadBytes: 1024, acceptedAt: acceptedAt)
          _ = try TaskStatements.accept(task, TaskStatements.AcceptanceSeals(task), database)
        }
      }
    }
    try queue.close()
  }

  @Test(.timeLimit(.minutes(5))) func acceptingAgainAfterAKill() async throws {
    let directory = try TemporaryDirectory()
    let (killed, clock, count) = (directory.file("killed.sqlite"), TestClock(), Self.tasks)
    try await Self.leave(count, at: killed, acceptedAt: clock.unixMilliseconds)
    let order = (0..<count).map(StoreRecords.taskID)
    let newcomer = try Rig.submission()

    let start = ContinuousClock.now
    let again = try SQLiteStore.open(path: killed)
    let opened = ContinuousClock.now
    let rig = try Rig(store: again, clock: clock, limits: QueueConfig(maxPerAVS: 2 * count, maxTotal: 2 * count))
    try await rig.stateRecovery.recoverTasks()
    let recovered = ContinuousClock.now
    #expect(rig.queue.depths == [Rig.avs: count])
    #expect(rig.inFlight.count == count)
    // A performer that takes nothing yet; submissions are let in.
    rig.publish(.behind(TaskGate()), id: "busy", capacity: 1)
    rig.admission.open()
    #expect(try await rig.streams.receive(newcomer) == .unfinished)
    let received = ContinuousClock.now
    print(
      "recovery of \(count) tasks: store \((opened - start).seconds) s, tasks \((recovered - opened).seconds) s, "
        + "first receipt after \((received - start).seconds) s")
    #expect(received - start < Self.limit)
    rig.roster.withdraw(performerID: "busy")
    // One performer with one slot is asked for them in the order of their acceptance.
    let performer = FakePerformer.echo()
    try await rig.run { rig in
      rig.publish(performer, capacity: 1)
      try await eventually(within: .seconds(60)) { performer.calls.count >= 300 }
    }
    // Its time ends sooner, so the newcomer is before them.
    #expect(performer.calls.filter { $0 != newcomer.id }.prefix(299).elementsEqual(order.prefix(299)))
    try await again.close()
  }
}
