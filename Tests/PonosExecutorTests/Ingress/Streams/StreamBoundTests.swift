import PonosAPI
import PonosCore
import PonosExecutorTesting
import PonosStoreTesting
import PonosTelemetry
import PonosTesting
import SwiftProtobuf
import Testing

@testable import PonosConfiguration
@testable import PonosExecutor

@Suite("Bounds of task streams")
struct StreamBoundTests {
  @Test func sessionsTakeTheirBoundsFromTheConfiguration() {
    var config = StreamConfig()
    (config.heartbeat, config.maxCredit, config.maxUnacknowledged) = (.seconds(3), 7, 9)
    let settings = config.sessionSettings
    #expect(settings.heartbeat == 3000 && settings.maxCredit == 7 && settings.maxUnacknowledged == 9)
  }

  @Test("texts are cut by bytes, at the border of a scalar")
  func texts() {
    #expect("abc".cut(toBytes: 3) == "abc")
    #expect("abcd".cut(toBytes: 3) == "abc")
    #expect("aéé".cut(toBytes: 4) == "aé")
    #expect("a\u{1F600}".cut(toBytes: 4) == "a")
    let one = "a" + String(repeating: "\u{0301}", count: 100_000)
    #expect(one.count == 1)
    #expect(one.cut(toBytes: 64).utf8.count == 63)
    let goodbye = Goodbye(
      wire: .with {
        $0.code = one
        $0.message = one
      })
    #expect(goodbye.code.utf8.count <= 64 && goodbye.message.utf8.count <= 256)
    let message = Ponos_V1_AggregatorMessage.with { $0.submission.task.taskID = one }
    guard case .submission(let submission)? = try? AggregatorMessage(wire: message) else { Issue.record("unreadable"); return }
    #expect(submission.idText.utf8.count <= 80)
  }

  @Test("what waits for a slow reader weighs what it takes in memory")
  func outcomes() {
    let id = TaskID(unchecked: [UInt8](repeating: 1, count: 32))
    let large = WireResult.with { $0.output = .init(repeating: 0, count: 1 << 20) }
    #expect(AggregatorSession.weight(of: .outcome(id, .result(WireResult()))) == 1)
    #expect(AggregatorSession.weight(of: .outcome(id, .result(large))) == 65)
    #expect(AggregatorSession.weight(of: .receipt(idText: "")) == 1)
  }

  @Test("a session has one reconciliation in work at a time, however many its peer sends")
  func reconciliations() async throws {
    let store = FaultyStore()
    let gate = TaskGate()
    store.holdDeliveries(behind: gate)
    let stream = try StreamRig(store: store)
    let raw = RawAggregator(heartbeat: 5000)
    let ids = (0..<3).map { _ in "\(Digest32.random())" }
    try await stream.serve { port in
      async let messages = raw.exchange(port: port, until: { !$0.standings.standings.isEmpty }) { message in
        message.reconciliation.taskIds = ids
      }
      try await eventually { gate.arrivals >= 1 }
      // The others have come long since when this is over.
      try await Task.sleep(for: .milliseconds(100))
      #expect(gate.arrivals == 1)
      gate.open()
      #expect(try await messages.contains { $0.standings.standings.count == 3 })
    }
  }

  @Test("of many strangers those go whose host has the most, and of these the oldest")
  func crowds() {
    typealias Peer = SessionRegistry.UnauthenticatedPeer
    #expect(SessionRegistry.evictionCandidate(among: []) == nil)
    let honest = Peer(number: 1, host: "a")
    let crowd = (2..<9).map { Peer(number: $0, host: "b") }
    #expect(SessionRegistry.evictionCandidate(among: [honest] + crowd) == 2)
    #expect(SessionRegistry.evictionCandidate(among: [honest, Peer(number: 2, host: "b")]) == 1)
    let even = [Peer(number: 4, host: "a"), Peer(number: 3, host: "b"), Peer(number: 7, host: "b")]
    #expect(SessionRegistry.evictionCandidate(among: even + [Peer(number: 9, host: "a")]) == 3)
  }

  @Test("what a session refuses by itself is counted like every refusal")
  func counted() async throws {
    let stream = try StreamRig()
    let raw = RawAggregator(heartbeat: 5000)
    let submission = try TestAggregator.registered(.ecdsa).sign(PipelineRig.draft())
    _ = try await stream.serve { port in
      // While nothing is taken in, no credit is given.
      stream.rig.admission.close(because: "testing")
      return try await raw.exchange(port: port, until: { $0.refusal.code == "no_credit" }) { message in
        message.submission.task = submission
      }
    }
    let line = "ponos_tasks_refused_total{avs=\"\(PipelineRig.avs)\",code=\"no_credit\"}"
    #expect(stream.rig.registry.text().contains(line))
  }
}
