import Foundation
import PonosAPI
import PonosContainersTesting
import PonosCore
import PonosCrypto
import PonosExecutorTesting
import PonosTesting
import Testing

@testable import PonosConfiguration
@testable import PonosExecutor

@Suite("Task streams over loopback")
struct TaskStreamTests {
  @Test("carry tasks and verified results, on both curves, and leave nothing in the outbox", arguments: SignatureCurve.allCases)
  func roundTrips(curve: SignatureCurve) async throws {
    let stream = try StreamRig()
    stream.rig.publish(.echo())
    let set: UInt32 = curve == .ecdsa ? 0 : 1
    let aggregator = StreamRig.aggregator(curve, set: set)
    try await stream.serve { port in
      try await aggregator.dialling(port: port) {
        let drafts = (0..<60).map { PipelineRig.draft("task \($0)", set: set) }
        try await withThrowingTaskGroup(of: Void.self) { group in
          for draft in drafts {
            group.addTask {
              let ending = try await aggregator.submit(draft)
              let result = try #require(ending?.result, "\(String(describing: ending))")
              #expect(Array(result.output) == draft.payload)
              let submission = try aggregator.task(draft)
              try ResultCheck(
                operatorAddress: PipelineRig.operatorAddress, key: TestKeys.executor(curve).verificationKey,
                ecdsaVerifier: PipelineRig.ecdsaVerifier
              ).check(result, for: submission.wire)
            }
          }
          try await group.waitForAll()
        }
        try await eventually { try await stream.waiting(curve).isEmpty }
      }
    }
    #expect(aggregator.sessions == 1)
    #expect(aggregator.receipts.count == 60)
    #expect(stream.credit.held(by: PipelineRig.avs) == 0)
  }

  @Test("work the same when we dial the aggregator, and are dialled again when they break")
  func dialled() async throws {
    let stream = try StreamRig()
    stream.rig.publish(.echo())
    let aggregator = StreamRig.aggregator()
    try await stream.rig.run { _ in
      try await aggregator.hosting { port in
        let dialer = AggregatorDialer(
          aggregator: AggregatorConfig(host: "127.0.0.1", port: port, owner: StreamRig.owner()), sessions: stream.sessions,
          policy: ReconnectPolicy(initial: .milliseconds(20), maximum: .milliseconds(100)), logger: .silent)
        let dialling = Task { await dialer.run() }
        let first = try await aggregator.submit(PipelineRig.draft("one"))?.result?.output
        #expect(first == .init(Array("one".utf8)))
        aggregator.disconnect()
        let second = try await aggregator.submit(PipelineRig.draft("two"))?.result?.output
        #expect(second == .init(Array("two".utf8)))
        #expect(aggregator.sessions == 2)
        stream.sessions.stop()
        await dialling.value
        // Before the aggregator's server stops, which might end the session first.
        try await eventually {
          aggregator.ends.contains { if case .peerLeft(let goodbye) = $0 { goodbye.code == "stopping" } else { false } }
        }
      }
    }
  }

  @Test("an aggregator with another key than the registered one gets no session, and is told why")
  func strangerAsAggregator() async throws {
    let stream = try StreamRig()
    let stranger = StreamRig.aggregator(
      TestAggregator(address: TestAggregator.registered(.ecdsa).address, key: TestKeys.stranger(.ecdsa)))
    let end = try await stream.serve { port in await stranger.dialOnce(port: port) }
    guard case .peerLeft(let goodbye) = end else { Issue.record("\(end)"); return }
    #expect(goodbye.code == "bad_proof" && goodbye.retryAfter == nil)
    #expect(stranger.sessions == 0)
    // It was shown nothing but a hello.
    #expect(stranger.messages.count == 2)
  }

  @Test("an aggregator nobody registered gets no session")
  func unknownAggregator() async throws {
    let stream = try StreamRig()
    let unknown = StreamRig.aggregator(TestAggregator(address: PipelineRig.ecdsaVerifier, key: TestKeys.stranger(.ecdsa)))
    let end = try await stream.serve { port in await unknown.dialOnce(port: port) }
    guard case .peerLeft(let goodbye) = end else { Issue.record("\(end)"); return }
    #expect(goodbye.code == "unknown_aggregator")
  }

  @Test("an aggregator gives up on an executor that does not hold the operator's key, before it has shown it a task")
  func strangerAsExecutor() async throws {
    let stream = try StreamRig()
    stream.rig.publish(.echo())
    let aggregator = StreamRig.aggregator(executorKey: TestKeys.stranger(.ecdsa).verificationKey)
    let ending = Task { try await aggregator.submit(PipelineRig.draft()) }
    let end = try await stream.serve { port in await aggregator.dialOnce(port: port) }
    #expect(end.code == "bad_proof")
    #expect(stream.rig.inFlight.count == 0 && aggregator.receipts.isEmpty)
    ending.cancel()
    _ = await ending.result
  }

  @Test("a newer session of the same aggregator takes over from the older one")
  func superseded() async throws {
    let stream = try StreamRig()
    stream.rig.publish(.echo())
    let (first, second) = (StreamRig.aggregator(), StreamRig.aggregator())
    try await stream.serve { port in
      let old = Task { await first.dialOnce(port: port) }
      try await eventually { first.sessions == 1 }
      try await second.dialling(port: port) {
        guard case .peerLeft(let goodbye) = await old.value else { Issue.record("the first session goes on"); return }
        #expect(goodbye.code == "superseded" && goodbye.retryAfter == nil)
        let answer = try await second.submit(PipelineRig.draft("still here"))?.result
        #expect(answer != nil)
      }
    }
  }

  @Test("a stopping daemon says goodbye and asks to be dialled again")
  func stopping() async throws {
    let stream = try StreamRig()
    let aggregator = StreamRig.aggregator()
    try await stream.serve { port in
      let session = Task { await aggregator.dialOnce(port: port) }
      try await eventually { aggregator.sessions == 1 }
      stream.sessions.stop()
      guard case .peerLeft(let goodbye) = await session.value else { Issue.record("no goodbye came"); return }
      #expect(goodbye.code == "stopping" && goodbye.retryAfter == 1000)
      // No further session is opened.
      let end = await aggregator.dialOnce(port: port)
      #expect(end.code == "disconnected")
    }
  }

  @Test("a peer that says nothing for two heartbeats is let go")
  func deadPeer() async throws {
    let stream = try StreamRig { $0.heartbeat = 60_000 }
    let mute = RawAggregator(heartbeat: 300)
    let (messages, took) = try await stream.serve { port in try await mute.proveAndFallSilent(port: port) }
    #expect(messages.last?.goodbye.code == "peer_silent", "\(messages)")
    #expect(took >= .milliseconds(590) && took < .milliseconds(1500), "noticed after \(took)")
  }

  @Test("an executor that says nothing for two heartbeats is let go")
  func deadExecutor() async throws {
    // It ticks, but announces a heartbeat it does not keep.
    let aggregator = StreamRig.aggregator { $0.heartbeat = 300 }
    let executor = MuteExecutor(heartbeat: 300)
    let start = ContinuousClock.now
    let end = try await executor.serve { port in await aggregator.dialOnce(port: port) }
    #expect(end == .peerSilent)
    #expect(ContinuousClock.now - start < .seconds(2))
  }

  @Test("a peer that asks and asks and reads nothing is not listened to, disturbs nobody, and is let go")
  func readsNothing() async throws {
    let stream = try StreamRig()
    stream.rig.publish(.echo())
    let deaf = RawAggregator(heartbeat: 1000)
    let honest = StreamRig.aggregator(.bn254)
    try await stream.serve { port in
      try await withThrowingTaskGroup(of: Void.self) { group in
        // It ends by the executor's doing, as an error of its call, or is cancelled below.
        group.addTask { try? await deaf.proveAndReadNothing(port: port) }
        try await eventually { stream.sessions.sessionCount == 1 }
        try await honest.dialling(port: port) {
          try await eventually { stream.sessions.sessionCount == 2 }
          // Until the other has been let go; in time, because what it may leave unread is little.
          try await eventually(within: .seconds(60)) {
            let answer = try await honest.submit(PipelineRig.draft("heard"))?.result
            #expect(answer != nil)
            return stream.sessions.sessionCount == 1
          }
        }
        group.cancelAll()
      }
    }
  }

  @Test("strangers who say nothing keep no aggregator out")
  func strangers() async throws {
    let stream = try StreamRig { $0.handshakeLimit = 600_000 }
    stream.rig.publish(.echo())
    let honest = StreamRig.aggregator()
    try await stream.serve { port in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<6 { group.addTask { try? await RawAggregator.knock(port: port, count: 200) } }
        try await eventually(within: .seconds(60)) { stream.sessions.sessionCount == SessionRegistry.maxUnauthenticated }
        try await honest.dialling(port: port) {
          let answer = try await honest.submit(PipelineRig.draft("let in"))?.result
          #expect(answer != nil)
          #expect(stream.sessions.sessionCount <= SessionRegistry.maxUnauthenticated + 1)
        }
        group.cancelAll()
      }
    }
  }

  @Test("messages of the wrong shape end the session with the field that was wrong")
  func malformed() async throws {
    let stream = try StreamRig()
    let raw = RawAggregator(heartbeat: 5000)
    let messages = try await stream.serve { port in
      try await raw.exchange(port: port) { message in message.acknowledgement.taskIds = ["0x12"] }
    }
    #expect(messages.last?.goodbye.code == "protocol_violation")
    #expect(messages.last?.goodbye.message.contains("acknowledgement.task_ids") == true, "\(messages)")
  }
}
