import Foundation
import GRPCCore
import PonosAPI
import PonosAggregator
import PonosCore
import PonosExecutorTesting
import PonosTesting
import SwiftProtobuf
import Testing

/// A submission that is well-formed and must be refused, and how.
struct Refusal: Sendable, CustomTestStringConvertible {
  let name: String
  let code: String
  let status: RPCError.Code
  /// What the message must say: the field, and the value where it is not a secret.
  let words: [String]
  let submission: @Sendable (Daemon) throws -> WireSubmission

  var testDescription: String { name }

  static let stranger = EthereumAddress(unchecked: [UInt8](repeating: 0x77, count: 20))

  static let all: [Refusal] = addressing + signatures

  private static let addressing: [Refusal] = [
    Refusal(
      name: "version 2", code: "unsupported_version", status: .invalidArgument, words: ["version is 2", "version 1"]
    ) { try sign($0) { $0.version = 2 } },
    Refusal(
      name: "version 0", code: "unsupported_version", status: .invalidArgument, words: ["version is 0"]
    ) { try sign($0) { $0.version = 0 } },
    Refusal(
      name: "for another operator", code: "wrong_executor", status: .permissionDenied,
      words: ["executor_address", stranger.description, DaemonConfiguration.operatorAddress.description]
    ) { try sign($0) { $0.executor = stranger } },
    Refusal(
      name: "for an AVS nobody configured", code: "unknown_avs", status: .failedPrecondition,
      words: ["avs_address", stranger.description]
    ) { try sign($0) { $0.avs = stranger } },
    Refusal(
      name: "for an operator set nobody configured", code: "unknown_operator_set", status: .failedPrecondition,
      words: ["operator_set_id 9"]
    ) { try sign($0) { $0.operatorSetID = 9 } },
    Refusal(
      name: "from an aggregator nobody configured", code: "unknown_aggregator", status: .permissionDenied,
      words: ["aggregator_address", stranger.description]
    ) { try sign($0, by: TestAggregator(address: stranger, key: TestKeys.aggregator(.ecdsa))) },
    Refusal(
      name: "for an AVS without a performer", code: "no_performer", status: .failedPrecondition,
      words: ["avs_address", "DeployArtifact"]
    ) { daemon in try sign(daemon) { $0.avs = daemon.configuration.avs[1].address } },
    Refusal(
      name: "for an AVS whose performer does not come up", code: "performer_unavailable", status: .unavailable,
      words: ["avs_address", "again"]
    ) { daemon in try sign(daemon) { $0.avs = daemon.configuration.avs[2].address } },
  ]

  private static let signatures: [Refusal] = SignatureCurve.allCases.flatMap { curve in
    [
      bad("by another key", curve) {
        try sign(
          $0, by: TestAggregator(address: TestAggregator.registered(curve).address, key: TestKeys.stranger(curve)))
      },
      bad("by a key of the other curve", curve) {
        let other: SignatureCurve = curve == .ecdsa ? .bn254 : .ecdsa
        return try sign(
          $0, by: TestAggregator(address: TestAggregator.registered(curve).address, key: TestKeys.aggregator(other)))
      },
      bad("over another payload", curve) { try tampered($0, curve) { $0.payload.append(0x20) } },
      bad("over another set", curve) { try tampered($0, curve) { $0.operatorSetID = 1 } },
      bad("over another timestamp", curve) { try tampered($0, curve) { $0.referenceTimestamp += 1 } },
      bad("over another block", curve) { try tampered($0, curve) { $0.taskBlockNumber += 1 } },
      bad("over another id", curve) { try tampered($0, curve) { $0.taskID = TaskID.random().description } },
      bad("a byte short", curve) { try tampered($0, curve) { $0.signature.removeLast() } },
      bad("a byte long", curve) { try tampered($0, curve) { $0.signature.append(0) } },
      bad("of one byte", curve) { try tampered($0, curve) { $0.signature = Data([1]) } },
      bad("of zeros", curve) { try tampered($0, curve) { $0.signature = Data(count: $0.signature.count) } },
      bad("of ones", curve) {
        try tampered($0, curve) { $0.signature = Data(repeating: 0xff, count: $0.signature.count) }
      },
    ]
  }

  private static func bad(
    _ how: String, _ curve: SignatureCurve, _ submission: @escaping @Sendable (Daemon) throws -> WireSubmission
  ) -> Refusal {
    Refusal(
      name: "\(curve.rawValue) signature \(how)", code: "bad_signature", status: .permissionDenied, words: ["signature"],
      submission: submission)
  }

  private static func sign(
    _ daemon: Daemon, by aggregator: TestAggregator = .registered(.ecdsa),
    _ change: (inout SubmissionDraft) -> Void = { _ in }
  ) throws -> WireSubmission {
    var draft = daemon.draft("echo never")
    change(&draft)
    return try aggregator.sign(draft)
  }

  private static func tampered(
    _ daemon: Daemon, _ curve: SignatureCurve, _ change: (inout WireSubmission) -> Void
  ) throws -> WireSubmission {
    var submission = try daemon.submission("echo never", by: .registered(curve))
    change(&submission)
    return submission
  }
}

extension Acceptance {
  @Suite("Refusals", .daemon(.refusing))
  struct RefusalTests {
    let daemon: Daemon

    init() throws { daemon = try Daemon.ofSuite() }

    @Test("say which field and why, with a status that stock clients understand", arguments: Refusal.all)
    func sayWhichFieldAndWhy(refusal: Refusal) async throws {
      let error = try await daemon.refusal(of: try refusal.submission(daemon))
      #expect(error.ponosCode == refusal.code)
      #expect(error.code == refusal.status)
      for word in refusal.words { #expect(error.message.contains(word), "\(error.message)") }
      #expect(StockRetryPolicy.repeats(error) == (refusal.status == .unavailable))
    }

    @Test("are counted by their code, and reach no performer")
    func areCountedByTheirCode() async throws {
      let before = try await daemon.executions()
      let counted = try await daemon.operations.metric("ponos_tasks_refused_total")
      for refusal in Refusal.all { _ = try await daemon.refusal(of: try refusal.submission(daemon)) }
      #expect(try await daemon.operations.metric("ponos_tasks_refused_total") == counted + Double(Refusal.all.count))
      #expect(try await daemon.operations.metric("ponos_tasks_refused_total", labels: ["\"bad_signature\""]) > 0)
      #expect(try await daemon.executions() == before + 1, "only the question before")
    }

    @Test("a refused id can still be used for the task it belongs to")
    func refusedIdCanStillBeUsedForTaskItBelongsTo() async throws {
      let good = try daemon.submission("echo mine")
      var bad = good
      bad.payload = Data("echo yours".utf8)
      #expect(try await daemon.refusal(of: bad).ponosCode == "bad_signature")
      #expect(try await daemon.answer(to: good) == "mine")
    }
  }
}

extension DaemonConfiguration {
  /// One AVS that works, one without a performer, and one whose image does not exist. The last one keeps the daemon from being
  /// ready, but not the others from being served.
  fileprivate static var refusing: DaemonConfiguration {
    var configuration = DaemonConfiguration(.scripted(), AVS(), AVS(image: "ponos-test/does-not-exist:1"))
    configuration.isNeverReady = true
    return configuration
  }
}
