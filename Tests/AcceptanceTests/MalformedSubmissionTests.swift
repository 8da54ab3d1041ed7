import Foundation
import GRPCCore
import PonosAPI
import PonosAggregator
import PonosExecutorTesting
import PonosTesting
import SwiftProtobuf
import Testing

/// A submission with one field spoilt, the rest and the signature as they should be.
struct Malformation: Sendable, CustomTestStringConvertible {
  let field: String
  let how: String
  let spoil: @Sendable (inout WireSubmission) -> Void

  var testDescription: String { "\(field) \(how)" }

  static let all: [Malformation] = taskIDs + addresses + others

  private static let taskIDs: [Malformation] = [
    of("task_id", "empty") { $0.taskID = "" },
    of("task_id", "one digit short") { $0.taskID.removeLast() },
    of("task_id", "one digit long") { $0.taskID += "0" },
    of("task_id", "without 0x") { $0.taskID.removeFirst(2) },
    of("task_id", "without 0x, but 66 characters") { $0.taskID = String(repeating: "ab", count: 33) },
    of("task_id", "with 0X") { $0.taskID = "0X" + $0.taskID.dropFirst(2) },
    of("task_id", "not hex") { $0.taskID = "0x" + String(repeating: "g", count: 64) },
    of("task_id", "with a space") { $0.taskID = "0x " + $0.taskID.dropFirst(3) },
    of("task_id", "of 66 characters that are not 66 bytes") { $0.taskID = "0x" + String(repeating: "é", count: 64) },
    of("task_id", "of 66 bytes that are not digits") { $0.taskID = "0x" + String(repeating: "é", count: 32) },
  ]

  private typealias TextField = (name: String, path: any WritableKeyPath<WireSubmission, String> & Sendable)
  private static let addressFields: [TextField] = [
    ("aggregator_address", \.aggregatorAddress), ("avs_address", \.avsAddress), ("executor_address", \.executorAddress),
  ]
  private static let addresses: [Malformation] = addressFields.flatMap { field, path in
    [
      of(field, "empty") { $0[keyPath: path] = "" },
      of(field, "one digit short") { $0[keyPath: path].removeLast() },
      of(field, "one digit long") { $0[keyPath: path] += "0" },
      of(field, "without 0x") { $0[keyPath: path].removeFirst(2) },
      of(field, "without 0x, but 42 characters") { $0[keyPath: path] = String(repeating: "ab", count: 21) },
      of(field, "not hex") { $0[keyPath: path] = "0x" + String(repeating: "z", count: 40) },
    ]
  }

  private static let others: [Malformation] = [
    of("signature", "absent") { $0.signature = Data() },
    of("reference_timestamp", "zero") { $0.referenceTimestamp = 0 },
  ]

  private static func of(
    _ field: String, _ how: String, _ spoil: @escaping @Sendable (inout WireSubmission) -> Void
  ) -> Malformation {
    Malformation(field: field, how: how, spoil: spoil)
  }
}

extension Acceptance {
  /// The validation table of the public executor's own tests, and the spellings it does not think of.
  @Suite("Malformed submissions", .daemon(DaemonConfiguration(.scripted())))
  struct MalformedSubmissionTests {
    let daemon: Daemon

    init() throws { daemon = try Daemon.ofSuite() }

    @Test("are refused for good, by the name of the field", arguments: Malformation.all)
    func areRefusedForGood(malformation: Malformation) async throws {
      var submission = try daemon.submission("echo x")
      malformation.spoil(&submission)
      let error = try await daemon.refusal(of: submission)
      #expect(error.code == .invalidArgument)
      #expect(error.ponosCode == "malformed_submission")
      #expect(error.message.hasPrefix(malformation.field + " "), "\(error.message)")
      #expect(!StockRetryPolicy.repeats(error))
    }

    @Test("an empty message is refused like any other")
    func emptyMessageIsRefusedLikeAnyOther() async throws {
      let error = try await daemon.refusal(of: WireSubmission())
      #expect(error.code == .invalidArgument)
      #expect(error.message.hasPrefix("task_id "))
    }

    @Test("are not run, and not remembered")
    func areNotRun() async throws {
      let before = try await daemon.executions()
      var submission = try daemon.submission("echo still good")
      let good = submission
      submission.referenceTimestamp = 0
      _ = try await daemon.refusal(of: submission)
      #expect(try await daemon.answer(to: good) == "still good")
      #expect(try await daemon.executions() == before + 2, "the question before and the good task, nothing else")
    }
  }
}
