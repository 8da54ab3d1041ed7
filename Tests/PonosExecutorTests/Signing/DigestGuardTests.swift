import PonosCore
import PonosTesting
import Testing

@testable import PonosExecutor

@Suite("One digest for a task, for ever")
struct DigestGuardTests {
  typealias Rig = PipelineRig

  @Test("a performer that answers differently after a lost result gets its second answer refused", arguments: [0, 1] as [UInt32])
  func differentAnswer(set: UInt32) async throws {
    let store = FaultyStore()
    let performer = FakePerformer { id, _, call throws(PerformerCallError) in .echo(id, [UInt8(call)]) }
    let submission = try Rig.submission(Rig.draft(set: set))
    // The digest of the first answer is recorded; the answer itself is lost with the process.
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
    try await second.run { rig in
      rig.publish(performer)
      #expect(await rig.receiver.submit(submission)?.failure?.code == "digest_conflict")
      #expect(performer.calls.count == 2)
    }
  }

  @Test(
    "a performer that answers the same after a lost result gets it signed, with the same signatures",
    arguments: [0, 1] as [UInt32])
  func sameAnswer(set: UInt32) async throws {
    let store = FaultyStore()
    let submission = try Rig.submission(Rig.draft("same", set: set))
    try await Rig(store: store).run { rig in
      rig.publish(.echo())
      store.fail([.signed])
      let caller = Task { await rig.receiver.submit(submission) }
      try await eventually { store.failures(of: .signed) > 0 }
      caller.cancel()
    }
    store.fail([])
    let second = try Rig(store: store)
    try await second.stateRecovery.recoverTasks()
    try await second.run { rig in
      rig.publish(.echo())
      try Rig.check(try #require(await rig.receiver.submit(submission)?.signed), for: submission)
    }
  }

  @Test("no signature is made for a digest that could not be recorded")
  func recordedFirst() async throws {
    let store = FaultyStore()
    try await Rig(store: store).run { rig in
      rig.publish(.echo())
      store.fail([.digest])
      let submission = try Rig.submission()
      async let answer = rig.receiver.submit(submission)
      try await eventually { store.failures(of: .digest) >= 2 }
      #expect(try await rig.store.task(submission.id)?.result == nil)
      store.fail([])
      try Rig.check(try #require(await answer?.signed), for: submission)
    }
  }
}
