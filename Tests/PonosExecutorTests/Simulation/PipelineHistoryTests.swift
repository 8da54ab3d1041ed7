import Foundation
import PonosTesting
import Testing

/// Random histories of the whole walk of tasks, with crashes, on virtual time; a failure names the seed it can be had again with.
///
/// 100,000 steps, or as many as `PONOS_HISTORY_STEPS` says; `PONOS_HISTORY_SEED` begins one history again.
@Suite("The pipeline, by random histories")
struct PipelineHistoryTests {
  private static let stepsEach = 10_000

  private static var seeds: [UInt64] {
    if let seed = ProofSize.number("PONOS_HISTORY_SEED", as: UInt64.self) { return [seed] }
    let steps = ProofSize.of(100_000, variable: "PONOS_HISTORY_STEPS")
    return (1..<UInt64(max(2, steps / stepsEach))).map(\.self) + [UInt64.random(in: .min ... .max)]
  }

  @Test("does what the plain model allows, crash after crash")
  func doesWhatPlainModelAllows() async throws {
    let submissions = SimulatedSubmissions()
    var met = Encounters()
    for seed in Self.seeds {
      var simulation = try PipelineSimulation(seed: seed, submissions: submissions)
      var step = 0
      do {
        while step < Self.stepsEach {
          try await simulation.step()
          step += 1
        }
        try await simulation.finish()
        try simulation.end()
      } catch let difference as PipelineSimulation.Difference {
        Issue.record("seed \(seed), step \(step): \(difference)")
        return
      }
      met.add(simulation)
    }
    #expect(met.isEnough, "the histories met too little to prove anything: \(met)")
  }

  /// What happened in all histories together.
  private struct Encounters: CustomStringConvertible {
    private var histories = 0
    private var signed = 0
    private var signedInOneStep = 0
    private var failed = 0
    private var replayed = 0
    private var conflicts = 0
    private var refusals = 0
    private var runsAfterCrash = 0
    private var receipts = 0
    private var acknowledged = 0
    private var cancelled = 0
    private var crashes = 0
    private var diskFailures = 0

    mutating func add(_ simulation: PipelineSimulation) {
      let model = simulation.model
      histories += 1
      signed += model.signed
      signedInOneStep += model.signedInOneStep
      failed += model.failed
      replayed += model.replayed
      conflicts += model.conflicts
      refusals += model.refusals
      runsAfterCrash += model.runsAfterCrash
      receipts += model.receipts
      acknowledged += model.acknowledged
      cancelled += model.cancelled
      crashes += simulation.crashes
      diskFailures += simulation.diskFailures
    }

    /// On average, because a single history may be a quiet one.
    var isEnough: Bool {
      signed > 60 * histories && signedInOneStep > 10 * histories && signed - signedInOneStep > 10 * histories
        && failed > 5 * histories && replayed > 60 * histories && conflicts > 5 * histories
        && refusals > 20 * histories && runsAfterCrash > 5 * histories && crashes > 5 * histories && diskFailures > 5 * histories
        && receipts > 20 * histories && acknowledged > 5 * histories && cancelled > histories
    }

    var description: String {
      """
      \(histories) histories, \(signed) signed (\(signedInOneStep) in one step), \(failed) failed, \(replayed) replayed, \(conflicts) conflicts, \
      \(refusals) refusals, \(runsAfterCrash) runs again, \(crashes) crashes, \(diskFailures) failed writes, \
      \(receipts) receipts, \(acknowledged) acknowledged, \(cancelled) cancelled
      """
    }
  }
}
