import PonosAPI
import PonosContainersTesting
import PonosCore
import PonosExecutorTesting
import PonosStoreTesting
import PonosTelemetry
import PonosTesting
import SwiftProtobuf
import Testing

@testable import PonosContainers
@testable import PonosExecutor
@testable import PonosStore

@Suite("Answers from memory")
struct RecentAnswersTests {
  typealias Rig = PipelineRig

  private static func memoryAnswers(_ rig: Rig) throws -> Int {
    let line = rig.registry.text().split(separator: "\n").first {
      $0.hasPrefix("ponos_task_memory_answers_total") && $0.contains(Rig.avs.description)
    }
    let value = try #require(line?.split(separator: " ").last.flatMap { Double($0) })
    return Int(value)
  }

  @Test("a retry of a finished task needs no store, no signature, no rate and no place")
  func costsNothing() async throws {
    let store = FaultyStore()
    let limits = SubmissionLimits(perAggregator: RateLimit(perSecond: 0.01, burst: 2))
    try await Rig(store: store, submissions: limits).run { rig in
      rig.publish(.echo())
      let submission = try Rig.submission()
      let first = try #require(await rig.unary.submit(submission)?.signed)
      let gate = TaskGate()
      store.holdAccepts(behind: gate)
      for _ in 0..<5 { #expect(await rig.unary.submit(submission)?.signed == first) }
      #expect(gate.arrivals == 0)
      #expect(try Self.memoryAnswers(rig) == 5)
      gate.open()
    }
  }

  @Test("other content, another signature or another aggregator under the id is not answered with it")
  func onlyTheSame() async throws {
    try await Rig().run { rig in
      rig.publish(.echo())
      let draft = Rig.draft("mine")
      #expect(await rig.unary.submit(try Rig.submission(draft))?.signed != nil)
      var other = draft
      other.payload = Array("yours".utf8)
      #expect(await rig.unary.submit(try Rig.submission(other))?.refusal == .conflictingTask(draft.id))
      let stranger = TestAggregator(address: TestAggregator.registered(.ecdsa).address, key: TestKeys.stranger(.ecdsa))
      #expect(await rig.unary.submit(try Rig.submission(draft, by: stranger))?.refusal?.code == "bad_signature")
      var forged = try TestAggregator.registered(.ecdsa).sign(draft)
      forged.payload.append(1)
      #expect(await rig.unary.submit(try TaskSubmission(wire: forged))?.refusal?.code == "bad_signature")
      #expect(
        await rig.unary.submit(try Rig.submission(draft, by: .registered(.bn254)))?.refusal == .conflictingTask(draft.id))
    }
  }

  @Test("refusals and interruptions are not remembered, and after the retention time nothing is")
  func notRemembered() async throws {
    let store = FaultyStore()
    try await Rig(store: store, recent: .init(bytes: 1 << 20, count: 10, age: 60_000)).run { rig in
      rig.publish(.echo())
      let submission = try Rig.submission()
      store.fail([.accept])
      #expect(await rig.unary.submit(submission)?.refusal?.code == "store_unavailable")
      #expect(rig.inFlight.recentOutcome(of: submission.id) == nil)
      store.fail([])
      #expect(await rig.unary.submit(submission)?.signed != nil)
      #expect(rig.inFlight.recentOutcome(of: submission.id) != nil)
      rig.clock.advance(by: .seconds(60))
      #expect(rig.inFlight.recentOutcome(of: submission.id) == nil)
      // Read from the row, it is remembered again.
      #expect(await rig.unary.submit(submission)?.signed != nil)
      #expect(rig.inFlight.recentOutcome(of: submission.id) != nil)
    }
  }

  @Test("memory and rows answer with the same bytes, whichever of the two a retry meets", arguments: [1, 2, 3, 4] as [UInt64])
  func agree(seed: UInt64) async throws {
    var dice = SeededGenerator(seed: seed)
    let store = MemoryStore()
    let performer = FakePerformer { id, payload, _ throws(PerformerCallError) in
      if payload.first == 0 { throw .answeredError(code: 3, message: "\(id)") }
      return .echo(id, payload + Array(id.bytes.prefix(Int(payload.first ?? 0))))
    }
    let submissions = try (0..<12).map { _ in
      var draft = Rig.draft(set: UInt32.random(in: 0...1, using: &dice))
      draft.payload = [UInt8.random(in: 0...3, using: &dice)]
      return try Rig.submission(draft)
    }
    let picks = (0..<150).map { _ in Int.random(in: 0..<12, using: &dice) }
    // Room for a few, so that retries meet both; and none at all.
    let rigs = try [(8 << 10, 4), (0, 0)].map { bytes, count in
      try Rig(store: store, recent: .init(bytes: bytes, count: count, age: .max))
    }
    for rig in rigs { rig.publish(performer) }
    try await rigs[0].run { remembering in
      try await rigs[1].run { reading in
        for pick in picks {
          let answers = [await remembering.unary.submit(submissions[pick]), await reading.unary.submit(submissions[pick])]
          let bytes = try answers.map { try Self.bytes(of: try #require($0)) }
          #expect(bytes[0] == bytes[1])
        }
      }
      #expect(try Self.memoryAnswers(remembering) > 20)
    }
    #expect(performer.calls.count == Set(picks).count)
    for (pick, submission) in submissions.enumerated() where picks.contains(pick) {
      let record = try #require(try await store.task(submission.id))
      let failure = record.failure.map { Array("\($0)".utf8) }
      let stored = try #require(record.result ?? failure)
      let answer = try #require(await rigs[0].unary.submit(submission))
      #expect(try Self.bytes(of: answer) == stored)
    }
  }

  private static func bytes(of outcome: TaskOutcome) throws -> [UInt8] {
    switch outcome {
    case .signed(let result): try result.wire.serializedBytes()
    case .failed(let failure): Array("\(failure)".utf8)
    case .refused(let rejection), .interrupted(let rejection): Array("\(rejection)".utf8)
    }
  }
}
