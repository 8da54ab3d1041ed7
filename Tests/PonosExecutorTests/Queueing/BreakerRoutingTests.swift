import PonosContainersTesting
import PonosCore
@testable import PonosExecutor
import PonosStore
import PonosTesting
import Synchronization
import Testing
@testable import PonosContainers

@Suite("Tasks and circuit breakers")
struct BreakerRoutingTests {
  typealias Rig = PipelineRig

  @Test("an unreachable performer opens its breaker; what waits is run by a probe and after it, newcomers are told when to come")
  func opensAndCloses() async throws {
    let isDown = Mutex(true)
    let performer = FakePerformer { id, payload, _ throws(PerformerCallError) in
      if isDown.withLock(\.self) { throw .unreachable("refused") }
      return .echo(id, payload)
    }
    let clock = TestClock()
    let breaker = CircuitBreaker.Settings(consecutiveFailures: 3, openTime: .seconds(10))
    try await Rig(clock: clock, breaker: breaker).run { rig async throws in
      rig.publish(performer, capacity: 1)
      let submission = try Rig.submission()
      async let answer = rig.unary.submit(submission)
      try await eventually { rig.roster.breakersOpen(Rig.avs) == .seconds(10) && rig.queue.depths[Rig.avs] == 1 }
      #expect(performer.calls.count == 3)
      let late = try Rig.submission()
      #expect(await rig.unary.submit(late)?.refusal == .circuitOpen(avs: Rig.avs, retryAfter: .seconds(10)))
      isDown.withLock { $0 = false }
      clock.advance(by: .seconds(10))
      #expect(await answer?.signed != nil)
      #expect(performer.calls.count == 4)
      #expect(await rig.unary.submit(late)?.signed != nil)
    }
  }

  @Test("errors the performer answers leave its breaker closed, however many")
  func definiteAnswers() async throws {
    let performer = FakePerformer { _, _, _ throws(PerformerCallError) in throw .answeredError(code: 3, message: "no") }
    try await Rig(breaker: .init(consecutiveFailures: 1, window: 1)).run { rig async throws in
      rig.publish(performer)
      for _ in 1...10 { #expect(await rig.unary.submit(try Rig.submission())?.failure?.code == "performer_error") }
      #expect(rig.roster.breakersOpen(Rig.avs) == .zero)
    }
  }
}
