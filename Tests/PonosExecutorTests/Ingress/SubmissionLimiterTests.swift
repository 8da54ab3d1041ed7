import PonosContainersTesting
import PonosCore
import PonosExecutorTesting
import PonosStore
import PonosStoreTesting
import PonosTesting
import Testing

@testable import PonosExecutor

@Suite("Rates of submissions")
struct SubmissionLimiterTests {
  typealias Rig = PipelineRig
  static let forger = TestAggregator(address: TestAggregator.registered(.ecdsa).address, key: TestKeys.stranger(.ecdsa))

  private func code(_ rig: Rig, by aggregator: TestAggregator = .registered(.ecdsa)) async throws -> String? {
    switch await rig.unary.submit(try Rig.submission(by: aggregator)) {
    case .signed?: "signed"
    case .refused(let rejection)?: rejection.code
    default: nil
    }
  }

  @Test("an aggregator that sends too much is refused with the time to come again; others of the AVS are not")
  func perAggregator() async throws {
    let limits = SubmissionLimits(perAggregator: RateLimit(perSecond: 2, burst: 2))
    try await Rig(submissions: limits).run { rig async throws in
      rig.publish(.echo())
      for _ in 1...2 { #expect(try await code(rig) == "signed") }
      let late = try Rig.submission()
      let refusal = try #require(await rig.unary.submit(late)?.refusal)
      #expect(refusal == .aggregatorRateLimited(late.aggregator, avs: Rig.avs, retryAfter: .milliseconds(500)))
      #expect(try await rig.store.task(late.id) == nil)
      #expect(try await code(rig, by: .registered(.bn254)) == "signed")
      rig.clock.advance(by: .milliseconds(499))
      #expect(await rig.unary.submit(late)?.refusal?.code == "aggregator_rate_limited")
      rig.clock.advance(by: .milliseconds(1))
      #expect(await rig.unary.submit(late)?.signed != nil)
    }
  }

  @Test("the AVS's own limit is over all aggregators, and one that is refused by it is not charged either")
  func perAVS() async throws {
    let limits = SubmissionLimits(
      perAVS: RateLimit(perSecond: 1, burst: 1), perAggregator: RateLimit(perSecond: 0.01, burst: 2))
    try await Rig(submissions: limits).run { rig async throws in
      rig.publish(.echo())
      #expect(try await code(rig) == "signed")
      for _ in 1...5 { #expect(try await code(rig, by: .registered(.bn254)) == "avs_rate_limited") }
      for _ in 1...2 {
        rig.clock.advance(by: .seconds(1))
        #expect(try await code(rig, by: .registered(.bn254)) == "signed")
      }
    }
  }

  @Test("a flood nobody signed uses up nothing that honest aggregators are granted")
  func unsignedFlood() async throws {
    let limits = SubmissionLimits(perAVS: RateLimit(perSecond: 1, burst: 2), perAggregator: RateLimit(perSecond: 1, burst: 2))
    try await Rig(submissions: limits).run { rig async throws in
      rig.publish(.echo())
      for _ in 1...20 { #expect(try await code(rig, by: Self.forger) == "bad_signature") }
      for _ in 1...2 { #expect(try await code(rig) == "signed") }
      #expect(try await code(rig, by: Self.forger) == "aggregator_rate_limited", "refused before its signature is looked at")
    }
  }

  @Test("retries that join a running task cost nothing")
  func joining() async throws {
    let gate = TaskGate()
    let limits = SubmissionLimits(perAggregator: RateLimit(perSecond: 0.01, burst: 1))
    try await Rig(submissions: limits).run { rig async throws in
      rig.publish(.behind(gate))
      let submission = try Rig.submission()
      try await withThrowingTaskGroup(of: Bool.self) { group in
        for _ in 1...5 { group.addTask { await rig.unary.submit(submission)?.signed != nil } }
        try await eventually { gate.arrivals == 1 }
        gate.open()
        for try await isSigned in group { #expect(isSigned) }
      }
    }
  }

  @Test("only tasks that are newly accepted cost something: not what is refused afterwards, nor what was finished before")
  func refunds() async throws {
    let limits = SubmissionLimits(
      perAVS: RateLimit(perSecond: 0.01, burst: 3), perAggregator: RateLimit(perSecond: 0.01, burst: 2))
    let store = FaultyStore()
    try await Rig(store: store, submissions: limits, recent: .nothing).run { rig async throws in
      for _ in 1...5 { #expect(try await code(rig) == "no_performer") }
      rig.publish(.echo())
      store.fail([.accept])
      for _ in 1...5 { #expect(try await code(rig) == "store_unavailable") }
      store.fail([])
      let submission = try Rig.submission()
      for _ in 1...5 { #expect(await rig.unary.submit(submission)?.signed != nil) }
      #expect(try await code(rig) == "signed")
      #expect(try await code(rig) == "aggregator_rate_limited")
      #expect(try await code(rig, by: .registered(.bn254)) == "signed")
      #expect(try await code(rig, by: .registered(.bn254)) == "avs_rate_limited")
    }
  }

  @Test("without limits nothing is counted")
  func unlimited() {
    let limiter = SubmissionLimiter(limits: [Rig.avs: SubmissionLimits()])
    for _ in 1...1000 { #expect(limiter.charge(TaskOwner(aggregator: Rig.avs, avs: Rig.avs)) == nil) }
  }
}
