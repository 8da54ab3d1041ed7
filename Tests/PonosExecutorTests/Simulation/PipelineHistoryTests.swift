import Foundation
import PonosTesting
import Testing

/// Random histories of the whole walk of tasks, with crashes, on virtual time; a failure names the seed it can be had again with.
///
/// 100,000 steps, or as many as `PONOS_HISTORY_STEPS` says.
@Suite("The pipeline, by random histories")
struct PipelineHistoryTests {
  private static let stepsEach = 10_000

  private static var seeds: [UInt64] {
    let steps = ProcessInfo.processInfo.environment["PONOS_HISTORY_STEPS"].flatMap { Int($0) } ?? 100_000
    return (1..<UInt64(max(2, steps / stepsEach))).map(\.self) + [UInt64.random(in: .min ... .max)]
  }

  @Test("does what the plain model allows, crash after crash")
  func agreesWithModel() async throws {
    let submissions = SimulatedSubmissions()
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
      let model = simulation.model
      #expect(
        model.signed > 60 && model.failed > 10 && model.replayed > 60 && model.conflicts > 5 && model.refusals > 20
          && model.runsAfterCrash > 5 && simulation.crashes > 5 && simulation.diskFailures > 5,
        """
        seed \(seed) met too little to prove anything: \(model.signed) signed, \(model.failed) failed, \(model.replayed) replayed, \
        \(model.conflicts) conflicts, \(model.refusals) refusals, \(model.runsAfterCrash) runs again, \(simulation.crashes) crashes, \
        \(simulation.diskFailures) failed writes
        """)
    }
  }
}
