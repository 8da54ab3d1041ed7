import Foundation
import GRPCCore
import PonosAPI
import PonosCore
import PonosCrypto
import PonosExecutorTesting
import PonosPerformerTesting
import PonosStore
import PonosTesting

/// Submits tasks and retries each until it is answered, however often the daemon dies meanwhile; writes down what it sees.
struct RecordingClient: Sendable {
  typealias Call = @Sendable (WireSubmission, CallOptions) async throws -> WireResult

  let daemon: Daemon
  let recorder: HistoryRecorder
  /// One attempt.
  let call: Call
  /// Asked before each further attempt; false gives the task up, which breaks the promise.
  let mayGoOn: @Sendable () -> Bool

  private static let attemptTime = Duration.seconds(5)

  /// A task that was submitted, as it should end.
  struct SubmittedTask: Sendable {
    let wire: WireSubmission
    let id: TaskID
    let avs: EthereumAddress
    let expectation: TaskHistory.Expectation
  }

  /// Returns when the task has its answer. An answer that is new to `checking` is checked as an aggregator checks it.
  func submit(_ task: SubmittedTask, checksSignatures: Bool, using dice: inout SeededGenerator) async throws {
    recorder.record(.submitted(task.id, avs: task.avs, expecting: task.expectation))
    while true {
      do {
        let result = try await call(task.wire, .within(Self.attemptTime))
        if checksSignatures { check(result, for: task) }
        let digest = try daemon.digest(of: result, for: task.wire)
        return recorder.record(.answered(task.id, .signed(bytes: Array(result.bytes), digest: digest)))
      } catch let error as RPCError {
        if let answer = Self.failure(error) { return recorder.record(.answered(task.id, answer)) }
        guard Self.mayPass(error) else { return recorder.record(.refused(task.id, code: Self.code(of: error))) }
      }
      guard mayGoOn() else { return }
      try await Task.sleep(for: .milliseconds(Int.random(in: 20...80, using: &dice)))
    }
  }

  private func check(_ result: WireResult, for task: SubmittedTask) {
    do { try daemon.check(result, for: task.wire) } catch {
      recorder.record(.worthless(task.id, problem: "\(error)"))
    }
  }

  /// Codes with which an accepted task may have failed for good.
  private static let failures: Set<String> = [
    "performer_error", "performer_busy", "performer_unreachable", "performer_crashed", "task_timed_out", "task_expired",
    "wrong_task_id", "output_too_large", "output_invalid", "digest_conflict", "signing_failed", "task_expired_while_down",
    "journal_refused",
  ]

  private static func failure(_ error: RPCError) -> TaskHistory.Answer? {
    guard let code = error.ponosCode, failures.contains(code) else { return nil }
    return .failed(code: code, message: error.message)
  }

  /// A stock client sends again, or would a moment later: between removal and redeployment an AVS has no performer.
  private static func mayPass(_ error: RPCError) -> Bool {
    StockRetries.repeats(error) || error.ponosCode == "no_performer"
  }

  private static func code(of error: RPCError) -> String { error.ponosCode ?? "\(error.code): \(error.message)" }
}

extension Daemon {
  /// The digest that the result signature of an answer is over.
  func digest(of result: WireResult, for submission: WireSubmission) throws -> Digest32 {
    guard let id = TaskID(hex: submission.taskID), let verifier = CertificateVerifiers.ecdsaAddress(chainID: 31337) else {
      throw DidNotHappen(description: "the submission \(submission.taskID) is malformed")
    }
    let curve: SignatureCurve = submission.operatorSetID == DaemonConfiguration.set(.ecdsa) ? .ecdsa : .bn254
    return CertificateDigest.make(
      curve: curve, messageHash: ResultMessage(taskID: id, result: Array(result.output)).digest,
      referenceTimestamp: submission.referenceTimestamp, ecdsaVerifier: verifier
    ).digest
  }

  /// A task whose id and content come from dice.
  func task(
    _ payload: String, avs: EthereumAddress, expecting expectation: TaskHistory.Expectation = .signed,
    using dice: inout SeededGenerator
  ) throws -> RecordingClient.SubmittedTask {
    var draft = draft(payload, avs: avs, set: Int.random(in: 0..<4, using: &dice) == 0 ? .bn254 : .ecdsa)
    draft.id = TaskID(unchecked: (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &dice) })
    let aggregator = TestAggregator.registered(Int.random(in: 0..<4, using: &dice) == 0 ? .bn254 : .ecdsa)
    return .init(wire: try aggregator.sign(draft), id: draft.id, avs: avs, expectation: expectation)
  }

  /// A task that fails, now and then, or is answered otherwise in every run: whoever ran it again after its digest was recorded would
  /// be found out.
  func taskOfLoad(avs: EthereumAddress, using dice: inout SeededGenerator) throws -> RecordingClient.SubmittedTask {
    if Int.random(in: 0..<12, using: &dice) == 0 {
      return try task("error 3 no", avs: avs, expecting: .failed("performer_error"), using: &dice)
    }
    return try task("dice \(Int.random(in: 0...40, using: &dice))", avs: avs, using: &dice)
  }

  /// What the performer of an AVS was given since it started.
  func tally(avs: EthereumAddress) async throws -> PerformerTally {
    let text = try await answer(to: "tally", avs: avs)
    guard let tally = PerformerTally(text: text) else { throw DidNotHappen(description: "a tally should have come: \(text)") }
    return tally
  }

  /// What the database says; the daemon must not run. Looks at a copy, so that the next start finds what this one left.
  func ledger() throws -> StoreAudit {
    let copy = place.directory.appending(path: "ledger-copy.db")
    defer { for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: copy.path + suffix) } }
    for suffix in ["", "-wal"] where FileManager.default.fileExists(atPath: place.database.path + suffix) {
      try FileManager.default.copyItem(atPath: place.database.path + suffix, toPath: copy.path + suffix)
    }
    return try StoreAudit.read(path: copy.path)
  }
}
