import Foundation
import PonosCore
import PonosExecutorTesting
import PonosSystem
import PonosTesting
import Testing

extension Acceptance {
  /// The promise, held against what clients, performers and the database saw: see `HistoryChecker`.
  @Suite("Proof by crashes")
  struct CrashProofTests {
    /// Tasks of the crowded AVS that may be answered in a row while one of the other waits; it has a performer most of the time.
    private static let patience = 1_000

    @Test("killed under load at every failpoint and at random moments: nothing is lost, signed twice or answered differently")
    func killedUnderLoadAtEveryFailpointAndAtRandom() async throws {
      let seed = ProofSizes.seed
      let schedule = CrashSchedule(seed: seed, count: ProofSizes.kills)
      print("proof by crashes: seed \(seed), \(schedule.kills.count) kills, \(Failpoint.allCases.count) of them at failpoints")
      let recorder = HistoryRecorder()
      let daemon = try Daemon(DaemonConfiguration(.busy, .busy))
      do {
        let start = ContinuousClock.now
        try await run(schedule, daemon, recorder, seed: seed)
        report(recorder, since: start)
      } catch {
        Issue.record("seed \(seed): \(error)\nthe daemon's log ends with:\n\(daemon.logTail)")
      }
      try await daemon.remove()
    }

    private func run(
      _ schedule: CrashSchedule, _ daemon: Daemon, _ recorder: HistoryRecorder, seed: UInt64
    ) async throws {
      let crashes = CrashRun(daemon: daemon, recorder: recorder)
      let stop = LoadClients.StopSign()
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await LoadClients.run(daemon, recorder, seed: seed, stop: stop) }
        defer { group.cancelAll() }
        for (number, kill) in schedule.kills.enumerated() {
          try await crashes.perform(kill)
          if number.isMultiple(of: 8) { recorder.record(.ledger(try daemon.ledger())) }
        }
        try await daemon.start()
        stop.raise(limit: .seconds(30))
        try await group.waitForAll()
      }
      recorder.record(.tally(daemon.avs, try await daemon.tally(avs: daemon.avs)))
      #expect(try await daemon.stop() == 0)
      recorder.record(.ledger(try daemon.ledger()))
    }

    private func report(_ recorder: HistoryRecorder, since start: ContinuousClock.Instant) {
      let verdict = HistoryChecker(patience: Self.patience).check(recorder.history)
      print(
        """
        proof by crashes: \(verdict.kills) kills, \(verdict.tasks) tasks, \(verdict.answers) answers, \
        \(verdict.receipts) receipts, \(verdict.ledgers) ledgers, \
        longest wait of an AVS \(verdict.longestWait) answers, \(ContinuousClock.now - start)
        """)
      for violation in verdict.violations.prefix(20) { Issue.record("\(violation)") }
      #expect(verdict.violations.isEmpty, "\(verdict.violations.count) violations")
      #expect(verdict.answeredByAVS.count == 2 && verdict.answeredByAVS.values.allSatisfy { $0 > 20 }, "\(verdict)")
      #expect(verdict.answers > verdict.tasks, "no task was asked for twice")
      #expect(verdict.receipts > 20, "few tasks came by stream")
    }
  }
}

extension DaemonConfiguration.AVS {
  /// Two performers with room for most of the load, so that some of it waits.
  fileprivate static var busy: DaemonConfiguration.AVS {
    var avs = scripted()
    avs.concurrency = 6
    return avs
  }
}
