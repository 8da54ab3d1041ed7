import Foundation
import PonosAPI
import PonosAggregator
import PonosContainersTesting
import PonosCore
@testable import PonosExecutor
import PonosExecutorTesting
import PonosPerformerTesting
import PonosStoreTesting
import PonosTesting
import Testing
@testable import PonosConfiguration
@testable import PonosContainers
@testable import PonosStore

@Suite("Delivery on task streams")
struct StreamDeliveryTests {
  @Test("a connection cut in mid-task: one execution, and its result in the next session")
  func cutInTask() async throws {
    let stream = try StreamRig()
    let gate = TaskGate()
    let performer = FakePerformer.behind(gate)
    stream.rig.publish(performer)
    let aggregator = StreamRig.aggregator()
    try await stream.serve { port in
      try await aggregator.dialling(port: port) {
        let draft = PipelineRig.draft("cut")
        let ending = Task { try await aggregator.submit(draft) }
        try await eventually { aggregator.receipts == [draft.id] && gate.arrivals == 1 }
        for session in 2...3 {
          aggregator.disconnect()
          try await eventually { aggregator.sessions == session }
        }
        gate.open()
        #expect(try await ending.value?.result?.output == .init(draft.payload))
        #expect(performer.calls == [draft.id])
        try await eventually { try await stream.waiting().isEmpty }
      }
    }
    #expect(aggregator.outcomes.count == 1)
  }

  @Test("a result made while nobody was connected is delivered to the next session, until it is acknowledged")
  func waits() async throws {
    let stream = try StreamRig()
    stream.rig.publish(.echo())
    let forgetful = StreamRig.aggregator { $0.acknowledges = false }
    let draft = PipelineRig.draft("kept")
    try await stream.serve { port in
      try await forgetful.dialling(port: port) {
        let ending = try await forgetful.submit(draft)
        #expect(ending?.result != nil)
      }
      #expect(try await stream.waiting() == [draft.id])
      let (other, careful) = (StreamRig.aggregator(.bn254, set: 1), StreamRig.aggregator())
      try await other.dialling(port: port) {
        _ = try await other.submit(PipelineRig.draft("mine", set: 1))
        #expect(other.outcomes.count == 1, "it was shown another aggregator's result")
      }
      try await careful.dialling(port: port) {
        try await eventually { try await stream.waiting().isEmpty }
      }
      #expect(careful.outcomes.map(\.id) == [draft.id])
      #expect(careful.outcomes == forgetful.outcomes)
    }
  }

  @Test("unacknowledged results stay within the window; the rest comes as they are acknowledged", arguments: [1, 7])
  func window(size: Int) async throws {
    let stream = try StreamRig { $0.maxUnacknowledged = size }
    stream.rig.publish(.echo())
    let forgetful = StreamRig.aggregator { $0.acknowledges = false }
    try await stream.serve { port in
      try await forgetful.dialling(port: port) {
        let endings = (0..<30).map { number in Task { try await forgetful.submit(PipelineRig.draft("\(number)")) } }
        try await eventually { try await stream.waiting().count == 30 }
        #expect(forgetful.outcomes.count == size)
        for ending in endings { ending.cancel() }
      }
      let careful = StreamRig.aggregator()
      try await careful.dialling(port: port) {
        try await eventually { try await stream.waiting().isEmpty }
      }
      #expect(Set(careful.outcomes.map(\.id)).count == 30 && careful.outcomes.count == 30)
    }
  }

  @Test("credit follows the queue's free places, so that a full queue refuses nothing")
  func creditExhaustion() async throws {
    let stream = try StreamRig(limits: QueueConfig(maxPerAVS: 3, maxTotal: 3))
    let gate = TaskGate()
    stream.rig.publish(.behind(gate), capacity: 1)
    let aggregator = StreamRig.aggregator()
    try await stream.serve { port in
      try await aggregator.dialling(port: port) {
        let endings = (0..<20).map { number in Task { try await aggregator.submit(PipelineRig.draft("\(number)")) } }
        // One runs and three wait.
        try await eventually { stream.rig.queue.freePlaces(avs: PipelineRig.avs) == 0 && gate.arrivals == 1 }
        try await eventually { aggregator.receipts.count == 4 }
        gate.open()
        for ending in endings { #expect(try await ending.value?.result != nil) }
      }
    }
    #expect(aggregator.refusals == [])
    #expect(stream.credit.held(by: PipelineRig.avs) == 0)
  }

  @Test("credit follows the memory that is left for payloads, so that large ones wait at the aggregator and are not refused")
  func creditOfLargePayloads() async throws {
    // An AVS has a quarter: room for four of them.
    let stream = try StreamRig(queueBytes: 16 * TaskSubmission.maxPayloadBytes)
    let gate = TaskGate()
    stream.rig.publish(.behind(gate), capacity: 1)
    let aggregator = StreamRig.aggregator()
    let payload = String(repeating: "x", count: 1_400_000)
    try await stream.serve { port in
      try await aggregator.dialling(port: port) {
        let endings = (0..<24).map { _ in Task { try await aggregator.submit(PipelineRig.draft(payload)) } }
        try await eventually {
          gate.arrivals == 1 && (stream.rig.queue.freePlaces(avs: PipelineRig.avs) == 0 || !aggregator.refusals.isEmpty)
        }
        #expect((5..<14).contains(aggregator.receipts.count))
        gate.open()
        for ending in endings { #expect(try await ending.value?.result != nil) }
      }
    }
    #expect(aggregator.refusals == [])
  }

  @Test("a submission without credit is refused, and the session goes on")
  func overdrawn() async throws {
    let stream = try StreamRig()
    let raw = RawAggregator(heartbeat: 5000)
    let draft = PipelineRig.draft()
    let submission = try TestAggregator.registered(.ecdsa).sign(draft)
    let messages = try await stream.serve { port in
      // While nothing is taken in, no credit is given.
      stream.rig.admission.close(because: "testing")
      return try await raw.exchange(port: port, until: { $0.refusal.code == "no_credit" }) { message in
        message.submission.task = submission
      }
    }
    #expect(messages.contains { $0.refusal.taskID == draft.id.description && $0.refusal.retryAfterMs > 0 })
  }

  @Test("a task submitted by a call and by a stream is executed once and answered with the same bytes")
  func unaryAndStream() async throws {
    let stream = try StreamRig()
    let gate = TaskGate()
    let performer = FakePerformer.behind(gate)
    stream.rig.publish(performer)
    let aggregator = StreamRig.aggregator()
    try await stream.serve { port in
      try await aggregator.dialling(port: port) {
        let draft = PipelineRig.draft("both")
        let submission = try PipelineRig.submission(draft)
        async let call = stream.rig.unary.submit(submission)
        try await eventually { gate.arrivals == 1 }
        let ending = Task { try await aggregator.submit(draft) }
        try await eventually { aggregator.receipts == [draft.id] }
        gate.open()
        let (streamed, called) = (try await ending.value?.result, await call?.signed)
        #expect(streamed == called?.wire && streamed != nil)
        // And once more, when all is over.
        #expect(try await aggregator.submit(draft)?.result == streamed)
        #expect(performer.calls == [draft.id])
      }
    }
  }

  @Test("the same id with other content, or in another's session, is refused for good")
  func conflicts() async throws {
    let stream = try StreamRig()
    stream.rig.publish(.echo())
    let aggregator = StreamRig.aggregator()
    try await stream.serve { port in
      try await aggregator.dialling(port: port) {
        var draft = PipelineRig.draft("first")
        _ = try await aggregator.submit(draft)
        draft.payload = [1]
        #expect(try await aggregator.submit(draft)?.code == "conflicting_task")
        let foreign = try TaskSubmission(wire: try TestAggregator.registered(.bn254).sign(PipelineRig.draft()))
        #expect(await aggregator.submitter.submit(foreign)?.code == "wrong_session")
      }
    }
  }

  @Test("a task that waits or runs can be cancelled, which ends its run; one that is over or is unknown cannot")
  func cancellation() async throws {
    let stream = try StreamRig()
    let gate = TaskGate()
    let performer = FakePerformer.behind(gate)
    stream.rig.publish(performer, capacity: 1)
    let aggregator = StreamRig.aggregator()
    try await stream.serve { port in
      try await aggregator.dialling(port: port) {
        let (runs, waits) = (PipelineRig.draft("runs"), PipelineRig.draft("waits"))
        let first = Task { try await aggregator.submit(runs) }
        try await eventually { gate.arrivals == 1 }
        let second = Task { try await aggregator.submit(waits) }
        try await eventually { aggregator.receipts.count == 2 }
        #expect(await aggregator.submitter.cancel(waits.id) == .cancelled)
        #expect(try await second.value?.code == "task_cancelled")
        #expect(await aggregator.submitter.cancel(runs.id) == .cancelled)
        #expect(try await first.value?.code == "task_cancelled")
        #expect(performer.calls == [runs.id])
        gate.open()
        let answered = PipelineRig.draft("answered")
        #expect(try await aggregator.submit(answered)?.result != nil)
        for id in [runs.id, waits.id, answered.id] { #expect(await aggregator.submitter.cancel(id) == .tooLate) }
        #expect(await aggregator.submitter.cancel(.random()) == .unknown)
        for draft in [runs, waits] { #expect(try await aggregator.submit(draft)?.code == "task_cancelled") }
      }
    }
  }

  @Test("a cancellation reaches the performer; its slot is free at once, and it is not blamed", arguments: [false, true])
  func cancellationAtThePerformer(hangsTwice: Bool) async throws {
    let stream = try StreamRig()
    let performer = ScriptedPerformer()
    let aggregator = StreamRig.aggregator()
    try await performer.withServer { performerPort in
      let connection = try GRPCPerformerConnection(
        PerformerEndpoint(
          performerID: "performer-1", avs: PipelineRig.avs, host: "127.0.0.1",
          interface: .init(style: .grpc, port: performerPort)))
      stream.rig.roster.publish(.init(performerID: "performer-1", avs: PipelineRig.avs, capacity: 1, connection: connection))
      try await stream.serve { port in
        try await aggregator.dialling(port: port) {
          for number in 1...(hangsTwice ? 2 : 1) {
            let draft = PipelineRig.draft("hang")
            let ending = Task { try await aggregator.submit(draft) }
            try await eventually { performer.receivedTaskIDs.count == number }
            // Nobody else may take it back.
            let stranger = TaskOwner(aggregator: PipelineRig.operatorAddress, avs: PipelineRig.avs)
            #expect(!stream.rig.running.cancel(draft.id, for: stranger))
            #expect(await aggregator.submitter.cancel(draft.id) == .cancelled)
            #expect(try await ending.value?.code == "task_cancelled")
            #expect(try await stream.rig.store.task(draft.id)?.failure?.code == "task_cancelled")
            try await eventually { performer.cancelledCount == number }
          }
          #expect(try await aggregator.submit(PipelineRig.draft("echo next"))?.result != nil)
        }
      }
      await connection.close()
    }
  }

  @Test("higher priorities run first, and a deadline ends what waits too long")
  func urgency() async throws {
    let stream = try StreamRig()
    let gate = TaskGate()
    let performer = FakePerformer.behind(gate)
    stream.rig.publish(performer, capacity: 1)
    let aggregator = StreamRig.aggregator()
    try await stream.serve { port in
      try await aggregator.dialling(port: port) {
        let drafts = (0..<4).map { PipelineRig.draft("\($0)") }
        let first = Task { try await aggregator.submit(drafts[0]) }
        try await eventually { gate.arrivals == 1 }
        let soon = stream.rig.clock.unixMilliseconds + 1000
        let others = [
          Task { try await aggregator.submit(drafts[1], urgency: TaskUrgency(priority: -1)) },
          Task { try await aggregator.submit(drafts[2], urgency: TaskUrgency(priority: 5)) },
          Task { try await aggregator.submit(drafts[3], urgency: TaskUrgency(priority: 9, deadline: soon)) },
        ]
        try await eventually { aggregator.receipts.count == 4 }
        stream.rig.clock.advance(by: .seconds(2))
        #expect(try await others[2].value?.code == "task_expired")
        gate.open()
        #expect(try await first.value?.result != nil)
        for other in others[..<2] { #expect(try await other.value?.result != nil) }
        #expect(performer.calls == [drafts[0].id, drafts[2].id, drafts[1].id])
      }
    }
  }

  @Test("a receipt means durable: while the disk refuses, none is given, and afterwards the task goes through")
  func fullDisk() async throws {
    let store = FaultyStore()
    let stream = try StreamRig(store: store)
    stream.rig.publish(.echo())
    let aggregator = StreamRig.aggregator()
    try await stream.serve { port in
      try await aggregator.dialling(port: port) {
        store.fail([.accept])
        let ending = Task { try await aggregator.submit(PipelineRig.draft("patient")) }
        try await eventually { aggregator.refusals.contains("store_unavailable") }
        #expect(aggregator.receipts == [])
        store.fail([])
        #expect(try await ending.value?.result != nil)
      }
    }
  }

  @Test("an acknowledgement that could not be written down leads to a repetition, not to a loss")
  func lostAcknowledgement() async throws {
    let store = FaultyStore()
    let stream = try StreamRig(store: store)
    stream.rig.publish(.echo())
    let aggregator = StreamRig.aggregator()
    try await stream.serve { port in
      try await aggregator.dialling(port: port) {
        store.fail([.acknowledgement])
        #expect(try await aggregator.submit(PipelineRig.draft("again"))?.result != nil)
        try await eventually { aggregator.outcomes.count > 1 }
        store.fail([])
        try await eventually { try await stream.waiting().isEmpty }
      }
    }
  }

  @Test("after a restart on the same database, what runs on is delivered by stream, and what is over as well")
  func restart() async throws {
    let directory = try TemporaryDirectory()
    let (done, open) = (PipelineRig.draft("done"), PipelineRig.draft("open"))
    let forgetful = StreamRig.aggregator { $0.acknowledges = false }
    do {
      let store = try SQLiteStore.open(path: directory.file("store.sqlite"))
      let stream = try StreamRig(store: store)
      stream.rig.publish(.echo())
      try await stream.serve { port in
        try await forgetful.dialling(port: port) {
          _ = try await forgetful.submit(done)
          stream.rig.roster.withdraw(performerID: "performer-1")
        }
      }
      try await store.close()
    }
    let store = try SQLiteStore.open(path: directory.file("store.sqlite"))
    let waiting = try await store.deliveries(for: StreamRig.owner(), excluding: [], limit: 9, bytes: .max)
    #expect(waiting.tasks.map(\.id) == [done.id])
    let stream = try StreamRig(store: store)
    let performer = FakePerformer.echo()
    stream.rig.publish(performer)
    let careful = StreamRig.aggregator()
    try await stream.serve { port in
      try await careful.dialling(port: port) {
        #expect(try await careful.submit(open)?.result != nil)
        try await eventually { try await stream.waiting().isEmpty }
      }
    }
    #expect(Set(careful.outcomes.map(\.id)) == [done.id, open.id] && careful.outcomes.count == 2)
    #expect(performer.calls == [open.id])
    try await store.close()
  }
}
