import Foundation
import Logging
import PonosAPI
import PonosContainersTesting
import PonosCore
import PonosCrypto
import PonosExecutorTesting
import PonosStoreTesting
import PonosSystem
import PonosTesting
import Testing

@testable import PonosExecutor
@testable import PonosStore

@Suite("Audit log")
struct AuditLogTests {
  typealias Rig = PipelineRig

  private let directory: TemporaryDirectory
  private let path: String

  init() throws {
    directory = try TemporaryDirectory()
    path = directory.file("audit.jsonl")
  }

  private func entries() throws -> [[String: String]] {
    try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map { line in
      try JSONDecoder().decode([String: String].self, from: Data(line.utf8))
    }
  }

  @Test("the same id with other content, or from another aggregator, is refused and audited with the signature that proves it")
  func conflicts() async throws {
    try await Rig(auditLog: path).run { rig in
      rig.publish(.echo())
      let draft = Rig.draft("first")
      let first = try Rig.submission(draft)
      #expect(await rig.unary.submit(first)?.signed != nil)
      var changed = draft
      changed.payload = Array("second".utf8)
      let second = try Rig.submission(changed)
      #expect(second.id == first.id)
      #expect(await rig.unary.submit(second)?.refusal?.code == "conflicting_task")
      let third = try Rig.submission(draft, by: .registered(.bn254))
      #expect(await rig.unary.submit(third)?.refusal?.code == "conflicting_task")
      let entries = try entries()
      #expect(entries.map { $0["audit"] } == ["conflicting_task", "conflicting_task"])
      #expect(entries.map { $0["task_id"] } == [first.id.description, first.id.description])
      #expect(entries.map { $0["aggregator"] } == [second.aggregator.description, third.aggregator.description])
      #expect(entries.map { $0["signature"] } == [second, third].map { Hex.encodePrefixed($0.signature) })
      #expect(entries.map { $0["holder_aggregator"] } == [first, first].map(\.aggregator.description))
      #expect(entries.map { $0["holder_avs"] } == [Rig.avs, Rig.avs].map(\.description))
      #expect(entries[0]["payload_hash"] == "\(Keccak256.hash(Array("second".utf8)))")
      #expect(entries[0]["time"]?.hasPrefix("2025-10-09T") == true)
    }
    let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    #expect(mode == 0o600)
  }

  @Test("a submission that nobody signed is not audited")
  func forged() async throws {
    try await Rig(auditLog: path).run { rig in
      rig.publish(.echo())
      let draft = Rig.draft("first")
      #expect(await rig.unary.submit(try Rig.submission(draft))?.signed != nil)
      var wire = try TestAggregator.registered(.ecdsa).sign(draft)
      wire.payload = Data("forged".utf8)
      #expect(await rig.unary.submit(try TaskSubmission(wire: wire))?.refusal?.code == "bad_signature")
    }
    #expect(!FileManager.default.fileExists(atPath: path))
  }

  @Test("a result with another digest than the recorded one is audited")
  func digests() async throws {
    try await Rig(auditLog: path).run { rig in
      let submission = try Rig.submission()
      let digest = SignedDigestRecord(
        taskID: submission.id, operatorSet: submission.operatorSet, curve: .ecdsa, digest: StoreRecords.digest(1), recordedAt: 1)
      _ = try await rig.store.record(digest, output: [])
      rig.publish(.echo())
      #expect(await rig.unary.submit(submission)?.failure?.code == "digest_conflict")
      let entries = try entries()
      #expect(entries.map { $0["audit"] } == ["digest_conflict"])
      #expect(entries[0]["recorded_digest"] == StoreRecords.digest(1).description)
      #expect(entries[0]["refused_digest"]?.count == 66)
    }
  }

  @Test("is only appended to, bounded in what it takes a second, and says what it left out")
  func bounds() throws {
    try Data("before\n".utf8).write(to: URL(fileURLWithPath: path))
    let clock = TestClock()
    let audit = AuditLog(
      path: path, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, now: clock.taskClock.unix)
    let submission = try Rig.submission()
    let holder = TaskOwner(aggregator: submission.aggregator, avs: Rig.avs)
    for _ in 0..<100 { audit.record(.conflictingTask(submission, holder: holder)) }
    clock.advance(by: .seconds(1))
    audit.record(.conflictingTask(submission, holder: holder))
    let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
    #expect(lines.count == 1 + AuditLog.linesPerSecond + 1)
    #expect(lines.first == "before")
    #expect(lines.last?.contains(#""suppressed":"80""#) == true)
  }
}
