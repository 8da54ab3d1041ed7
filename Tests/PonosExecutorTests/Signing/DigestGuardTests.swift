import Foundation
import GRDB
import PonosAPI
import PonosContainersTesting
import PonosCore
import PonosCrypto
import PonosStoreTesting
import PonosTelemetry
import PonosTesting
import Synchronization
import Testing

@testable import PonosContainers
@testable import PonosExecutor
@testable import PonosStore

@Suite("One digest for a task, for ever")
struct DigestGuardTests {
  typealias Rig = PipelineRig

  /// Keys whose use shows outside of the process, so that digest and signature are recorded in two steps.
  private static let outside = KeyRing(SignatureCurve.allCases.map { TestKeys.executor($0) }).asIfOutside

  @Test(
    "a signature made in memory is nowhere until it is recorded: after a crash the task runs again, and what was answered is recorded",
    arguments: [0, 1] as [UInt32])
  func signatureMadeInMemoryIsNowhereUntilItIsRecorded(set: UInt32) async throws {
    let store = FaultyStore()
    // A second answer would be another one.
    let performer = FakePerformer { id, _, call throws(PerformerCallError) in .echo(id, [UInt8(call)]) }
    let submission = try Rig.submission(Rig.draft(set: set))
    let answer = try await Rig(store: store).run { rig in
      rig.publish(performer)
      store.fail([.signed])
      async let answer = rig.unary.submit(submission)
      try await eventually { store.failures(of: .signed) >= 2 }
      return await answer
    }
    #expect(answer?.isInterrupted == true, "who waits is told to come again")
    #expect(try await store.signedDigest(of: submission.id) == nil)
    #expect(try await store.task(submission.id)?.phase == .executing)
    store.fail([])
    let second = try Rig(store: store)
    try await second.stateRecovery.recoverTasks()
    try await second.run { rig in
      rig.publish(performer)
      let result = try #require(await rig.unary.submit(submission)?.signed)
      try Rig.check(result, for: submission)
      #expect(Array(result.wire.output) == [2] && performer.calls.count == 2)
      #expect(try await store.signedDigest(of: submission.id) != nil)
    }
  }

  @Test("no second digest is even signed for an id that has one, be it recorded before its acceptance or before a restart")
  func secondDigestIsNotMade() async throws {
    let store = MemoryStore()
    let submission = try Rig.submission()
    let digest = SignedDigestRecord(
      taskID: submission.id, operatorSet: submission.operatorSet, curve: .ecdsa, digest: StoreRecords.digest(1), recordedAt: 1)
    #expect(try await store.record(digest, output: []) == .recorded)
    let first = try Rig(store: store)
    let task = try await first.validator.validate(submission)
    guard case .accepted(let accepted) = try await first.journal.accept(task, timeout: .seconds(90)) else {
      return #expect(Bool(false), "the id is not known")
    }
    #expect(accepted.hasDigest)
    let second = try Rig(store: store)
    try await second.stateRecovery.recoverTasks()
    try await second.run { rig in
      rig.publish(.echo())
      #expect(await rig.unary.submit(submission)?.failure?.code == "digest_conflict")
      #expect(rig.registry.text().contains(#"ponos_signing_seconds_count{curve="ecdsa"} 0"#), "a signature was made")
    }
  }

  @Test(
    "an answer whose digest was recorded is signed after a crash, and the performer is not asked for another one",
    arguments: [0, 1] as [UInt32])
  func answerWhoseDigestWasRecordedIsSignedAfterCrash(set: UInt32) async throws {
    let store = FaultyStore()
    // A second answer would be another one.
    let performer = FakePerformer { id, _, call throws(PerformerCallError) in .echo(id, [UInt8(call)]) }
    let submission = try Rig.submission(Rig.draft(set: set))
    // The digest of the answer is recorded; the signed result is lost with the process.
    try await Rig(store: store, keys: Self.outside).run { rig in
      rig.publish(performer)
      store.fail([.signed])
      let caller = Task { await rig.unary.submit(submission) }
      try await eventually { store.failures(of: .signed) > 0 }
      caller.cancel()
    }
    store.fail([])
    let second = try Rig(store: store, keys: Self.outside)
    try await second.stateRecovery.recoverTasks()
    // No performer is there: none is needed.
    try await second.run { rig in
      try await eventually { try await store.task(submission.id)?.phase == .signed }
      let result = try #require(await rig.unary.submit(submission)?.signed)
      try Rig.check(result, for: submission)
      #expect(Array(result.wire.output) == [1])
      #expect(performer.calls.count == 1)
    }
  }

  @Test("an output that was damaged in the store is not signed: the recorded digest is over the one that was checked")
  func outputThatWasDamagedInStoreIsNotSigned() async throws {
    let store = FaultyStore()
    let submission = try Rig.submission()
    try await Rig(store: store, keys: Self.outside).run { rig in
      rig.publish(.echo())
      store.fail([.signed])
      let caller = Task { await rig.unary.submit(submission) }
      try await eventually { store.failures(of: .signed) > 0 }
      caller.cancel()
    }
    store.fail([])
    store.damageOutputs()
    let second = try Rig(store: store, keys: Self.outside)
    try await second.stateRecovery.recoverTasks()
    try await second.run { rig in
      try await eventually { try await store.task(submission.id)?.phase == .failed }
      #expect(await rig.unary.submit(submission)?.failure?.code == "digest_conflict")
    }
  }

  @Test("an answer that is not the one recorded for its task is not signed", arguments: [0, 1] as [UInt32])
  func answerThatIsNotOneRecordedForItsTaskIsNotSigned(set: UInt32) async throws {
    try await Rig().run { rig in
      let submission = try Rig.submission(Rig.draft(set: set))
      let digest = SignedDigestRecord(
        taskID: submission.id, operatorSet: submission.operatorSet, curve: .ecdsa, digest: StoreRecords.digest(1),
        recordedAt: 1)
      #expect(try await rig.store.record(digest, output: []) == .recorded)
      rig.publish(.echo())
      #expect(await rig.unary.submit(submission)?.failure?.code == "digest_conflict")
      #expect(try await rig.store.task(submission.id)?.result == nil)
    }
  }

  @Test("no key outside signs a digest that could not be recorded, and the task is not run again for it")
  func noKeyOutsideSignsDigestThatCouldNotBeRecorded() async throws {
    let store = FaultyStore()
    let performer = FakePerformer.echo()
    try await Rig(store: store, keys: Self.outside).run { rig in
      rig.publish(performer)
      store.fail([.digest])
      let submission = try Rig.submission()
      async let answer = rig.unary.submit(submission)
      try await eventually { store.failures(of: .digest) >= 2 }
      #expect(await answer?.isInterrupted == true, "who waits is told to come again")
      #expect(try await rig.store.task(submission.id)?.result == nil)
      #expect(rig.registry.text().contains(#"ponos_signing_seconds_count{curve="ecdsa"} 0"#), "a signature was made")
      store.fail([])
      try Rig.check(try #require(await rig.unary.submit(submission)?.signed), for: submission)
      #expect(rig.registry.text().contains(#"ponos_signing_seconds_count{curve="ecdsa"} 1"#))
      #expect(performer.calls.count == 1)
    }
  }

  @Test(
    "a task whose digest is recorded is not run again, however writing its result fails",
    arguments: [StoreError.Code.cannotOpen, .writeFailed, .locked, .overloaded, .closed])
  func taskWhoseDigestIsRecordedIsNotRunAgain(code: StoreError.Code) async throws {
    let store = FaultyStore()
    // A second answer would be another one, and refused for ever.
    let performer = FakePerformer { id, _, call throws(PerformerCallError) in .echo(id, [UInt8(call)]) }
    let submission = try Rig.submission()
    try await Rig(store: store, keys: Self.outside).run { rig in
      rig.publish(performer)
      store.fail([.signed], with: code)
      #expect(await rig.unary.submit(submission)?.isInterrupted == true)
      // A store that is closed takes nothing more from this process; its row waits for the next one.
      if code != .closed { try await eventually { store.failures(of: .signed) >= 2 } }
      store.fail([])
      let result = try #require(await rig.unary.submit(submission)?.signed)
      #expect(Array(result.wire.output) == [1])
      #expect(performer.calls.count == 1)
    }
  }

  @Test(
    "the digest outlives its task: after the retention the same answer is signed again, and no other",
    arguments: [0, 1] as [UInt32])
  func digestOutlivesItsTask(set: UInt32) async throws {
    let output = Mutex<UInt8>(1)
    let performer = FakePerformer { id, _, _ throws(PerformerCallError) in .echo(id, [output.withLock { $0 }]) }
    try await Rig(recent: .nothing).run { rig in
      rig.publish(performer)
      let submission = try Rig.submission(Rig.draft(set: set))
      let first = try #require(await rig.unary.submit(submission)?.signed)
      #expect(try await rig.store.deleteTasks(finishedBefore: .max) == 1)
      let second = try #require(await rig.unary.submit(submission)?.signed)
      #expect(performer.calls.count == 2 && second.wire == first.wire, "run again, and signed to the same bytes")
      #expect(try await rig.store.deleteTasks(finishedBefore: .max) == 1)
      try await rig.store.compact()
      output.withLock { $0 = 2 }
      #expect(await rig.unary.submit(submission)?.failure?.code == "digest_conflict")
    }
  }
}

/// Answers from rows that a disk has changed.
@Suite("Damaged answers")
struct DamagedAnswerTests {
  typealias Rig = PipelineRig

  /// Lets a submission be answered, changes its row, and gives what two retries get after a restart, with the metrics.
  private func retry(
    set: UInt32 = 0, _ performer: FakePerformer = .echo(), after change: @escaping @Sendable (Database) throws -> Void
  ) async throws -> (first: SignedResult, again: TaskOutcome?, third: TaskOutcome?, metrics: String) {
    let directory = try TemporaryDirectory()
    let path = directory.file("store.sqlite")
    let submission = try Rig.submission(Rig.draft(set: set))
    let before = try SQLiteStore.open(path: path)
    let first = try await Rig(store: before).run { rig in
      rig.publish(performer)
      return try #require(await rig.unary.submit(submission)?.signed)
    }
    try await before.close()
    let queue = try DatabaseQueue(path: path)
    try await queue.write { try change($0) }
    try queue.close()
    let store = try SQLiteStore.open(path: path)
    let answers = try await Rig(store: store).run { rig in
      rig.publish(performer)
      let again = await rig.unary.submit(submission)
      return (again, await rig.unary.submit(submission), rig.registry.text())
    }
    try await store.close()
    #expect(performer.calls.count == 1)
    return (first, answers.0, answers.1, answers.2)
  }

  /// Changes the stored result of the only task.
  private static func change(in database: Database, _ change: (inout Data) throws -> Void) throws {
    var result = try #require(try Data.fetchOne(database, sql: "SELECT result FROM task"))
    try change(&result)
    try database.execute(sql: "UPDATE task SET result = ?", arguments: [result])
  }

  @Test("a result whose output is intact is signed again, to the same bytes, and mended", arguments: [0, 1] as [UInt32])
  func resultWhoseOutputIsIntactIsSignedAgain(set: UInt32) async throws {
    let outcome = try await retry(set: set) { database in
      // In the second signature, which only the version follows.
      try Self.change(in: database) { $0[$0.count - 8] ^= 0x10 }
    }
    #expect(outcome.again?.signed == outcome.first)
    #expect(outcome.third?.signed == outcome.first)
    #expect(outcome.metrics.contains(#"ponos_store_damaged_records_total{outcome="repaired"} 1"#), "mended once and for all")
  }

  @Test("a result whose output was changed is refused with a code, never answered wrong")
  func resultWhoseOutputWasChangedIsRefusedWithCode() async throws {
    let outcome = try await retry { database in
      try Self.change(in: database) { result in
        let output = try #require(result.firstRange(of: Data("work".utf8)))
        result[output.lowerBound] ^= 1
      }
    }
    expectRefused(outcome)
  }

  @Test(
    "a result that cannot be made again is refused with a code",
    arguments: [
      "UPDATE task SET result = x'ff'", "UPDATE task SET result = NULL", "UPDATE task SET outcome_seal = NULL, result = x''",
      "UPDATE task SET outcome_seal = NULL, digest = NULL, digest_seal = NULL",
      "UPDATE task SET outcome_seal = NULL, digest = zeroblob(32)",
    ])
  func resultThatCannotBeMadeAgainIsRefusedWithCode(sql: String) async throws {
    expectRefused(try await retry { try $0.execute(sql: sql) })
  }

  private func expectRefused(_ outcome: (first: SignedResult, again: TaskOutcome?, third: TaskOutcome?, metrics: String)) {
    #expect(outcome.again?.refusal?.code == "stored_record_damaged", "\(String(describing: outcome.again))")
    #expect(outcome.third?.refusal?.code == "stored_record_damaged")
    #expect(outcome.metrics.contains(#"ponos_store_damaged_records_total{outcome="refused"} 2"#))
  }

  @Test("a stored failure that was changed is refused too")
  func storedFailureThatWasChangedIsRefusedToo() async throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("store.sqlite")
    let submission = try Rig.submission()
    let store = try SQLiteStore.open(path: path)
    let performer = FakePerformer { _, _, _ throws(PerformerCallError) in throw .answeredError(code: 3, message: "no") }
    try await Rig(store: store, recent: .nothing).run { rig in
      rig.publish(performer)
      #expect(await rig.unary.submit(submission)?.failure?.code == "performer_error")
      let queue = try DatabaseQueue(path: path)
      try await queue.write { try $0.execute(sql: "UPDATE task SET failure_code = 'digest_conflict'") }
      try queue.close()
      #expect(await rig.unary.submit(submission)?.refusal?.code == "stored_record_damaged")
    }
    try await store.close()
  }

  @Test("an output that was changed before it was signed costs another run, whose digest must be the recorded one")
  func outputThatWasChangedBeforeItWasSignedCosts() async throws {
    for answer in [UInt8(1), 2] {
      let directory = try TemporaryDirectory()
      let path = directory.file("store.sqlite")
      let submission = try Rig.submission()
      let before = try SQLiteStore.open(path: path)
      let rig = try Rig(store: before)
      let task = try await rig.validator.validate(submission)
      _ = try await rig.journal.accept(task, timeout: .seconds(90))
      // Recorded for the output [1].
      let message = ResultMessage(taskID: submission.id, result: [1])
      let digest = CertificateDigest.make(
        curve: .ecdsa, messageHash: message.digest, referenceTimestamp: submission.referenceTimestamp,
        ecdsaVerifier: Rig.ecdsaVerifier)
      try await rig.journal.collect([1], digest: digest.digest, curve: .ecdsa, for: task)
      try await before.close()
      let queue = try DatabaseQueue(path: path)
      try await queue.write { try $0.execute(sql: "UPDATE task SET output = x'03'") }
      try queue.close()

      let store = try SQLiteStore.open(path: path)
      let second = try Rig(store: store)
      try await second.stateRecovery.recoverTasks()
      try await second.run { rig in
        rig.publish(FakePerformer { id, _, _ throws(PerformerCallError) in .echo(id, [answer]) })
        let outcome = await rig.unary.submit(submission)
        if answer == 1 {
          try Rig.check(try #require(outcome?.signed), for: submission)
        } else {
          #expect(outcome?.failure?.code == "digest_conflict")
        }
      }
      try await store.close()
    }
  }
}
