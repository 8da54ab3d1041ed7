import Foundation
import PonosCore
import PonosTesting
import SwiftProtobuf
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
    let payload = [UInt8](repeating: 0x5a, count: 1024)
    let clock = TestClock()
    let count = Self.tasks
    // Unsigned: what is recovered was verified before it was written.
    for start in stride(from: 0, to: count, by: 256) {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in start..<min(start + 256, count) {
          group.addTask {
            let record = try Self.record(number, payload, acceptedAt: clock.unixMilliseconds)
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

  private static func record(
    _ number: Int, _ payload: [UInt8], acceptedAt: UnixMilliseconds
  ) throws -> AcceptedTaskRecord {
    let id = StoreRecords.taskID(number)
    let submission = TaskSubmission(
      id: id, idText: id.description, aggregator: Rig.operatorAddress, operatorSet: OperatorSet(avs: Rig.avs, id: 0),
      executor: Rig.operatorAddress, payload: payload, signature: [UInt8](repeating: 1, count: 65), referenceTimestamp: 1,
      taskBlockNumber: 1, version: 1)
    return AcceptedTaskRecord(
      id: id, contentHash: StoreRecords.digest(number), submission: try submission.wire.serializedBytes(),
      operatorSet: submission.operatorSet, aggregator: submission.aggregator, priority: 0, acceptedAt: acceptedAt,
      deadline: acceptedAt + 3_600_000)
  }
}
