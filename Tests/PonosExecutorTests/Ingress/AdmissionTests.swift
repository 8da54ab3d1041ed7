import PonosAPI
import PonosContainersTesting
import PonosCore
import PonosExecutorTesting
import PonosStoreTesting
import PonosTesting
import Testing

@testable import PonosConfiguration
@testable import PonosContainers
@testable import PonosExecutor
@testable import PonosStore

@Suite("Admission")
struct AdmissionTests {
  typealias Rig = PipelineRig

  /// Two submissions of one id with different content.
  static func rivals() throws -> (mine: TaskSubmission, yours: TaskSubmission) {
    let draft = Rig.draft("mine")
    var other = draft
    other.payload = Array("yours".utf8)
    return (try Rig.submission(draft), try Rig.submission(other))
  }

  @Test("a task is signed for the curve of its set", arguments: [0, 1] as [UInt32], SignatureCurve.allCases)
  func signs(set: UInt32, aggregator: SignatureCurve) async throws {
    let performer = FakePerformer.echo()
    try await Rig().run { rig in
      rig.publish(performer)
      let submission = try Rig.submission(Rig.draft("work", set: set), by: .registered(aggregator))
      let result = try #require(await rig.unary.submit(submission)?.signed)
      try Rig.check(result, for: submission)
      #expect(Array(result.wire.output) == Array("work".utf8))
      #expect(performer.calls == [submission.id])
      #expect(try await rig.store.task(submission.id)?.phase == .signed)
      #expect(!rig.admission.hasWaitingCallers)
    }
  }

  @Test("a task is written down before a performer sees it")
  func durableFirst() async throws {
    let store = MemoryStore()
    let seen = Collected<TaskPhase?>()
    let performer = FakePerformer { id, payload, _ throws(PerformerCallError) in
      seen.append(try? await store.task(id)?.phase)
      return .echo(id, payload)
    }
    try await Rig(store: store).run { rig in
      rig.publish(performer)
      _ = await rig.unary.submit(try Rig.submission())
      #expect(seen.values == [.executing])
    }
  }

  @Test("retries of a running task join it: one run, the same answer for all")
  func joins() async throws {
    let gate = TaskGate()
    let performer = FakePerformer.behind(gate)
    try await Rig().run { rig in
      rig.publish(performer)
      let submission = try Rig.submission()
      try await withThrowingTaskGroup(of: SignedResult?.self) { group in
        for _ in 0..<10 { group.addTask { await rig.unary.submit(submission)?.signed } }
        try await eventually { gate.arrivals == 1 && rig.inFlight.count == 1 }
        gate.open()
        var answers: [SignedResult] = []
        for try await answer in group { answers.append(try #require(answer)) }
        #expect(answers.count == 10)
        #expect(answers.allSatisfy { $0 == answers[0] })
      }
      #expect(performer.calls.count == 1)
    }
  }

  @Test("retries of a finished task get the stored answer, whether or not a new task could be taken")
  func replays() async throws {
    let performer = FakePerformer.echo()
    try await Rig(limits: QueueConfig(maxPerAVS: 1, maxTotal: 1)).run { rig in
      rig.publish(performer)
      let submission = try Rig.submission()
      let first = try #require(await rig.unary.submit(submission)?.signed)
      #expect(await rig.unary.submit(submission)?.signed == first)
      rig.roster.withdraw(performerID: "performer-1")
      #expect(await rig.unary.submit(submission)?.signed == first)
      #expect(await rig.unary.submit(try Rig.submission())?.refusal == .noPerformer(avs: Rig.avs))
      #expect(performer.calls.count == 1)
    }
  }

  @Test("retries of a failed task get the stored failure, and no second run")
  func replaysFailure() async throws {
    let performer = FakePerformer { _, _, _ throws(PerformerCallError) in throw .answeredError(code: 3, message: "no") }
    try await Rig().run { rig in
      rig.publish(performer)
      let submission = try Rig.submission()
      let first = try #require(await rig.unary.submit(submission)?.failure)
      #expect(first.code == "performer_error")
      #expect(await rig.unary.submit(submission)?.failure == first)
      #expect(performer.calls.count == 1)
    }
  }

  @Test("an id used for other content is refused, while the first task runs and afterwards, and does not disturb it")
  func conflict() async throws {
    let gate = TaskGate()
    try await Rig().run { rig in
      rig.publish(.behind(gate))
      let draft = Rig.draft("mine")
      let mine = try Rig.submission(draft)
      var changes: [SubmissionDraft] = Array(repeating: draft, count: 4)
      changes[0].payload = Array("yours".utf8)
      changes[1].operatorSetID = 1
      changes[2].referenceTimestamp += 1
      changes[3].blockNumber += 1
      let others = try changes.map { try Rig.submission($0) } + [try Rig.submission(draft, by: .registered(.bn254))]
      async let answer = rig.unary.submit(mine)
      try await eventually { gate.arrivals == 1 }
      for other in others { #expect(await rig.unary.submit(other)?.refusal == .conflictingTask(mine.id)) }
      gate.open()
      try Rig.check(try #require(await answer?.signed), for: mine)
      for other in others { #expect(await rig.unary.submit(other)?.refusal == .conflictingTask(mine.id)) }
    }
  }

  @Test("a retry is answered while somebody tries its id with other content, and whoever of two is written down first has the id")
  func conflictInHand() async throws {
    let store = FaultyStore()
    try await Rig(store: store).run { rig in
      rig.publish(.echo())
      let (mine, yours) = try Self.rivals()
      let signed = try #require(await rig.unary.submit(mine)?.signed)

      let gate = TaskGate()
      store.holdAccepts(behind: gate)
      async let refused = rig.unary.submit(yours)
      try await eventually { gate.arrivals == 1 }
      async let retried = rig.unary.submit(mine)
      // A retry that does not wait for the other is refused by now.
      try await Task.sleep(for: .milliseconds(50))
      gate.open()
      #expect(await refused?.refusal == .conflictingTask(mine.id))
      #expect(await retried?.signed == signed)
    }
  }

  @Test("a cancelled retry of content that may yet be refused has no receipt, though its id is on disk")
  func cancelledReceipt() async throws {
    let store = FaultyStore()
    try await Rig(store: store).run { rig in
      rig.publish(.echo())
      let (mine, yours) = try Self.rivals()
      #expect(await rig.unary.submit(mine)?.signed != nil)

      let gate = TaskGate()
      store.holdAccepts(behind: gate)
      async let refused = rig.unary.submit(yours)
      try await eventually { gate.arrivals == 1 }
      let retry = Task { () -> Result<TaskStanding, Rejection> in
        do throws(Rejection) { return .success(try await rig.streams.receive(yours)) } catch { return .failure(error) }
      }
      retry.cancel()
      #expect(await retry.value == .failure(.notAccepting("cancelled by the caller")))
      gate.open()
      #expect(await refused?.refusal == .conflictingTask(mine.id))
    }
  }

  @Test("an id whose first submission could not be written down is free for another one that came meanwhile")
  func failedFirst() async throws {
    let store = FaultyStore()
    try await Rig(store: store).run { rig in
      rig.publish(.echo())
      let (mine, yours) = try Self.rivals()
      let gate = TaskGate()
      store.holdAccepts(behind: gate)
      store.fail([.accept])
      async let failed = rig.unary.submit(yours)
      try await eventually { gate.arrivals == 1 }
      async let second = rig.unary.submit(mine)
      try await Task.sleep(for: .milliseconds(50))
      let next = TaskGate()
      store.holdAccepts(behind: next)
      gate.open()
      #expect(await failed?.refusal?.code == "store_unavailable")
      try await eventually { next.arrivals == 1 }
      store.fail([])
      next.open()
      try Rig.check(try #require(await second?.signed), for: mine)
    }
  }

  @Test("a retry with a signature that does not verify does not join")
  func forgedRetry() async throws {
    let gate = TaskGate()
    try await Rig().run { rig in
      rig.publish(.behind(gate))
      let draft = Rig.draft()
      let stranger = TestAggregator(address: TestAggregator.registered(.ecdsa).address, key: TestKeys.stranger(.ecdsa))
      async let answer = rig.unary.submit(try Rig.submission(draft))
      try await eventually { gate.arrivals == 1 }
      #expect(await rig.unary.submit(try Rig.submission(draft, by: stranger))?.refusal?.code == "bad_signature")
      gate.open()
      #expect(try await answer?.signed != nil)
    }
  }

  @Test("a full queue refuses new tasks and keeps no trace of them; a place that becomes free is given again")
  func queueFull() async throws {
    let gate = TaskGate()
    try await Rig(limits: QueueConfig(maxPerAVS: 1, maxTotal: 10)).run { rig in
      rig.publish(.behind(gate), capacity: 1)
      async let running = rig.unary.submit(try Rig.submission())
      try await eventually { gate.arrivals == 1 }
      async let waiting = rig.unary.submit(try Rig.submission())
      try await eventually { rig.queue.depths[Rig.avs] == 1 }
      let late = try Rig.submission()
      #expect(await rig.unary.submit(late)?.refusal == .queueFull(avs: Rig.avs, .tasksOfAVS))
      #expect(try await rig.store.task(late.id) == nil)
      gate.open()
      #expect(try await running?.signed != nil)
      #expect(try await waiting?.signed != nil)
      #expect(await rig.unary.submit(late)?.signed != nil)
    }
  }

  @Test("nothing is accepted before intake opens, nor after it closes")
  func notAccepting() async throws {
    let rig = try Rig()
    rig.publish(.echo())
    let submission = try Rig.submission()
    #expect(await rig.unary.submit(submission)?.refusal == .notAccepting("starting"))
    try await rig.run { rig in
      let record = try await rig.store.task(submission.id)
      #expect(record == nil)
      #expect(await rig.unary.submit(submission)?.signed != nil)
      rig.admission.close(because: "stopping")
      let late = try Rig.submission()
      #expect(await rig.unary.submit(late)?.refusal == .notAccepting("stopping"))
      let lateRecord = try await rig.store.task(late.id)
      #expect(lateRecord == nil)
    }
  }

  @Test("a caller that goes away gets nothing, and the task goes on without it")
  func cancelledCaller() async throws {
    let gate = TaskGate()
    let performer = FakePerformer.behind(gate)
    try await Rig().run { rig in
      rig.publish(performer)
      let submission = try Rig.submission()
      let caller = Task { await rig.unary.submit(submission) }
      try await eventually { gate.arrivals == 1 }
      caller.cancel()
      #expect(await caller.value == nil)
      gate.open()
      let result = try #require(await rig.unary.submit(submission)?.signed)
      try Rig.check(result, for: submission)
      #expect(performer.calls.count == 1)
    }
  }

  @Test("a task that cannot be written down is not accepted: its caller and those who joined are told, its place is free again")
  func storeFails() async throws {
    let store = FaultyStore()
    let performer = FakePerformer.echo()
    try await Rig(store: store, limits: QueueConfig(maxPerAVS: 1, maxTotal: 1)).run { rig in
      rig.publish(performer)
      let submission = try Rig.submission()
      store.fail([.accept])
      for _ in 0..<3 { #expect(await rig.unary.submit(submission)?.refusal?.code == "store_unavailable") }
      #expect(performer.calls.isEmpty)
      #expect(!rig.admission.hasWaitingCallers)
      store.fail([])
      #expect(await rig.unary.submit(submission)?.signed != nil)
    }
  }

  @Test("without a key for the set's curve nothing is accepted, so that nothing is run in vain")
  func noSigner() async throws {
    let performer = FakePerformer.echo()
    try await Rig(signers: [.ecdsa]).run { rig in
      rig.publish(performer)
      let submission = try Rig.submission(Rig.draft(set: 1))
      let refusal = await rig.unary.submit(submission)?.refusal
      #expect(refusal == .noSigner(.bn254, operatorSet: OperatorSet(avs: Rig.avs, id: 1)))
      #expect(performer.calls.isEmpty)
    }
  }

  @Test("callers that wait when the daemon stops are told to come again")
  func interrupted() async throws {
    let gate = TaskGate()
    try await Rig().run { rig in
      rig.publish(.behind(gate))
      let submission = try Rig.submission()
      async let first = rig.unary.submit(submission)
      try await eventually { gate.arrivals == 1 }
      async let second = rig.unary.submit(submission)
      #expect(rig.admission.hasWaitingCallers)
      rig.admission.close(because: "stopping")
      rig.admission.interruptWaitingCallers()
      #expect(await first?.isInterrupted == true)
      // The second came before or after the doors closed.
      let outcome = await second
      #expect(outcome?.isInterrupted == true || outcome?.refusal == .notAccepting("stopping"))
      #expect(!rig.admission.hasWaitingCallers)
      #expect(try await rig.store.task(submission.id)?.phase == .executing)
      gate.open()
    }
  }

  @Test("at shutdown no further run begins: callers of waiting tasks are sent away at once, those of running ones wait")
  func closing() async throws {
    let gate = TaskGate()
    let performer = FakePerformer.behind(gate)
    try await Rig().run { rig in
      rig.publish(performer, capacity: 1)
      let (running, waiting) = (try Rig.submission(), try Rig.submission())
      async let first = rig.unary.submit(running)
      try await eventually { gate.arrivals == 1 }
      async let second = rig.unary.submit(waiting)
      try await eventually { rig.queue.depths[Rig.avs] == 1 }
      rig.admission.close(because: "stopping")
      #expect(await second?.isInterrupted == true)
      #expect(rig.admission.hasWaitingCallers)
      gate.open()
      #expect(await first?.signed != nil)
      #expect(!rig.admission.hasWaitingCallers)
      #expect(performer.calls == [running.id])
      #expect(try await rig.store.task(waiting.id)?.phase == .queued)
    }
  }

  @Test("what is being written down when intake closes is on disk, and its caller is told at once to come again")
  func closingWhileWriting() async throws {
    let store = FaultyStore()
    let gate = TaskGate()
    store.holdAccepts(behind: gate)
    let performer = FakePerformer.echo()
    try await Rig(store: store).run { rig in
      rig.publish(performer)
      let submission = try Rig.submission()
      async let outcome = rig.unary.submit(submission)
      try await eventually { gate.arrivals == 1 }
      rig.admission.close(because: "stopping")
      gate.open()
      #expect(await outcome?.isInterrupted == true)
      #expect(!rig.admission.hasWaitingCallers && rig.inFlight.count == 0)
      #expect(try await rig.store.task(submission.id)?.phase == .queued)
      #expect(performer.calls.isEmpty)
    }
  }

  @Test("after intake has closed and sent everybody away, no task is opened that nobody would settle")
  func closedFlights() async throws {
    let rig = try Rig()
    rig.admission.open()
    let task = try await rig.validator.validate(try Rig.submission())
    rig.admission.close(because: "stopping")
    rig.admission.interruptWaitingCallers()
    guard case .closed(.notAccepting("stopping")) = rig.inFlight.open(task) else { Issue.record("it was opened"); return }
    #expect(rig.inFlight.count == 0)
  }

  @Test("any number of callers may wait for one large task, and keep nobody out")
  func copiesInHand() async throws {
    let gate = TaskGate()
    try await Rig(callerMemory: 1 << 20).run { rig in
      rig.publish(.behind(gate))
      let large = try Rig.submission(Rig.draft(String(repeating: "x", count: 200 << 10)))
      try await withThrowingTaskGroup(of: Bool.self) { group in
        for count in 1...8 {
          group.addTask { await rig.unary.submit(large)?.signed != nil }
          try await eventually { rig.inFlight.task(large.id)?.callers == count }
        }
        try await eventually { gate.arrivals == 1 }
        group.addTask { await rig.unary.submit(try Rig.submission())?.signed != nil }
        try await eventually { gate.arrivals == 2 }
        gate.open()
        for try await isSigned in group { #expect(isSigned) }
      }
    }
  }

  @Test("an accepted task that nobody runs any more goes on when it is submitted again")
  func resumes() async throws {
    let store = MemoryStore()
    let submission = try Rig.submission()
    let before = try Rig(store: store)
    _ = try await before.journal.accept(try await before.validator.validate(submission), timeout: .seconds(90))
    try await Rig(store: store).run { rig in
      rig.publish(.echo())
      let result = try #require(await rig.unary.submit(submission)?.signed)
      try Rig.check(result, for: submission)
    }
  }

  @Test("a finished task whose row holds no answer is refused, never run again")
  func damagedRow() async throws {
    let performer = FakePerformer.echo()
    let rig = try Rig()
    let submission = try Rig.submission()
    _ = try await rig.journal.accept(try await rig.validator.validate(submission), timeout: .seconds(90))
    try await rig.store.record(.signed(result: [0xff, 0xff], at: 1), for: submission.id)
    try await rig.run { rig in
      rig.publish(performer)
      #expect(await rig.unary.submit(submission)?.refusal?.code == "stored_record_damaged")
      #expect(performer.calls.isEmpty)
    }
  }

  @Test("while nothing can be written, a finished task is answered all the same")
  func answersWithoutWriting() async throws {
    let store = FaultyStore()
    try await Rig(store: store).run { rig in
      rig.publish(.echo())
      let submission = try Rig.submission()
      let first = try #require(await rig.unary.submit(submission)?.signed)
      store.fail([.accept])
      #expect(await rig.unary.submit(submission)?.signed == first)
      #expect(await rig.unary.submit(try Rig.submission())?.refusal?.code == "store_unavailable")
    }
  }
}
