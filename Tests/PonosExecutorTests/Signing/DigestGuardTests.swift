import PonosAPI
import PonosCore
import PonosTesting
import Testing

@testable import PonosExecutor

@Suite("One digest for a task, for ever")
struct DigestGuardTests {
  typealias Rig = PipelineRig

  @Test(
    "an answer whose digest was recorded is signed after a crash, and the performer is not asked for another one",
    arguments: [0, 1] as [UInt32])
  func crashBeforeSignature(set: UInt32) async throws {
    let store = FaultyStore()
    // A second answer would be another one.
    let performer = FakePerformer { id, _, call throws(PerformerCallError) in .echo(id, [UInt8(call)]) }
    let submission = try Rig.submission(Rig.draft(set: set))
    // The digest of the answer is recorded; the signed result is lost with the process.
    try await Rig(store: store).run { rig in
      rig.publish(performer)
      store.fail([.signed])
      let caller = Task { await rig.receiver.submit(submission) }
      try await eventually { store.failures(of: .signed) > 0 }
      caller.cancel()
    }
    store.fail([])
    let second = try Rig(store: store)
    try await second.stateRecovery.recoverTasks()
    // No performer is there: none is needed.
    try await second.run { rig in
      try await eventually { try await store.task(submission.id)?.phase == .signed }
      let result = try #require(await rig.receiver.submit(submission)?.signed)
      try Rig.check(result, for: submission)
      #expect(Array(result.wire.output) == [1])
      #expect(performer.calls.count == 1)
    }
  }

  @Test("an output that was damaged in the store is not signed: the recorded digest is over the one that was checked")
  func damagedOutput() async throws {
    let store = FaultyStore()
    let submission = try Rig.submission()
    try await Rig(store: store).run { rig in
      rig.publish(.echo())
      store.fail([.signed])
      let caller = Task { await rig.receiver.submit(submission) }
      try await eventually { store.failures(of: .signed) > 0 }
      caller.cancel()
    }
    store.fail([])
    store.damageOutputs()
    let second = try Rig(store: store)
    try await second.stateRecovery.recoverTasks()
    try await second.run { rig in
      try await eventually { try await store.task(submission.id)?.phase == .failed }
      #expect(await rig.receiver.submit(submission)?.failure?.code == "digest_conflict")
    }
  }

  @Test("an answer that is not the one recorded for its task is not signed", arguments: [0, 1] as [UInt32])
  func anotherDigest(set: UInt32) async throws {
    try await Rig().run { rig in
      let submission = try Rig.submission(Rig.draft(set: set))
      let digest = SignedDigestRecord(
        taskID: submission.id, operatorSet: submission.operatorSet, curve: .ecdsa, digest: StoreRecords.digest(1),
        recordedAt: 1)
      #expect(try await rig.store.record(digest, output: []) == .recorded)
      rig.publish(.echo())
      #expect(await rig.receiver.submit(submission)?.failure?.code == "digest_conflict")
      #expect(try await rig.store.task(submission.id)?.result == nil)
    }
  }

  @Test("no signature is made for a digest that could not be recorded, and the task is not run again for it")
  func recordedFirst() async throws {
    let store = FaultyStore()
    let performer = FakePerformer.echo()
    try await Rig(store: store).run { rig in
      rig.publish(performer)
      store.fail([.digest])
      let submission = try Rig.submission()
      async let answer = rig.receiver.submit(submission)
      try await eventually { store.failures(of: .digest) >= 2 }
      #expect(await answer?.isInterrupted == true, "who waits is told to come again")
      #expect(try await rig.store.task(submission.id)?.result == nil)
      store.fail([])
      try Rig.check(try #require(await rig.receiver.submit(submission)?.signed), for: submission)
      #expect(performer.calls.count == 1)
    }
  }
}
