import PonosAPI
import PonosContainers
import PonosCore
import PonosPerformerTesting
import PonosStoreTesting
import PonosTesting
import SwiftProtobuf
import Testing

@Suite("A connection to a performer over gRPC")
struct GRPCPerformerConnectionTests {
  private let id = StoreRecords.taskID(1)

  private func withConnection(
    _ performer: ScriptedPerformer, _ body: @escaping @Sendable (GRPCPerformerConnection) async throws -> Void
  ) async throws {
    try await performer.withServer { port in
      let connection = try GRPCPerformerConnection(
        PerformerEndpoint(
          performerID: "p", avs: StoreRecords.address(1), host: "127.0.0.1", interface: .init(style: .grpc, port: port)))
      let outcome: Result<Void, any Error>
      do { outcome = .success(try await body(connection)) } catch { outcome = .failure(error) }
      await connection.close()
      try outcome.get()
    }
  }

  private static func failure(
    _ connection: GRPCPerformerConnection, _ id: TaskID, _ payload: String, timeout: Duration = .seconds(20)
  ) async -> PerformerCallError? {
    do throws(PerformerCallError) {
      _ = try await connection.execute(id, payload: Array(payload.utf8), timeout: timeout)
      return nil
    } catch { return error }
  }

  @Test("that is closed says so, and not that the performer refused the task")
  func thatIsClosedSaysSo() async throws {
    try await withConnection(ScriptedPerformer()) { [id] connection in
      #expect(await Self.failure(connection, id, "echo x") == nil)
      #expect(await Self.failure(connection, id, "error 9 no") == .answeredError(code: 9, message: "no"))
      await connection.close()
      #expect(await Self.failure(connection, id, "echo x") == .unreachable("its connection was closed"))
    }
  }

  @Test("that closes under calls blames none of it on the performer")
  func thatClosesUnderCallsBlamesNoneOfItOnPerformer() async throws {
    let failures = Collected<PerformerCallError>()
    for _ in 0..<10 {
      try await withConnection(ScriptedPerformer()) { [id] connection in
        await withTaskGroup(of: Void.self) { group in
          for _ in 0..<8 {
            group.addTask {
              while true {
                if let failure = await Self.failure(connection, id, "echo x") { return failures.append(failure) }
              }
            }
          }
          _ = await Self.failure(connection, id, "delay 5 x")
          await connection.close()
        }
      }
    }
    #expect(failures.values.count == 80)
    let others = failures.values.filter { $0 != .unreachable("its connection was closed") }
    #expect(others.isEmpty)
  }

  @Test("carries as many tasks as a performer may be given, all at once, and a probe beside them")
  func carriesAsManyTasksAsPerformerMayBeGiven() async throws {
    let performer = ScriptedPerformer()
    try await withConnection(performer) { [id] connection in
      try await withThrowingTaskGroup(of: PerformerCallError?.self) { group in
        let tasks = 1_024
        for _ in 0..<tasks { group.addTask { await Self.failure(connection, id, "hang", timeout: .seconds(120)) } }
        // A connection to this performer carries 256 calls.
        try await eventually(within: .seconds(60)) { performer.receivedTaskIDs.count == tasks }
        let health = await connection.probe.check(timeout: .seconds(20))
        if case .serving = health {} else { Issue.record("a probe is told: \(health)") }
        group.cancelAll()
        for try await failure in group { #expect(failure == .cancelled) }
      }
    }
  }

  @Test(
    "tells a health service that does not answer from one that answers something else",
    arguments: [ScriptedPerformer.Health.serving, .notServing, .missing, .hang])
  func tellsHealthServiceThatDoesNotAnswer(_ health: ScriptedPerformer.Health) async throws {
    try await withConnection(ScriptedPerformer(health: health)) { connection in
      switch (health, await connection.probe.check(timeout: .seconds(health == .hang ? 1 : 20))) {
      case (.serving, .serving), (.notServing, .notServing), (.missing, .notServing), (.hang, .timedOut): break
      case (_, let report): Issue.record("\(health) was reported as \(report)")
      }
    }
  }

  @Test(
    "tells definite answers from those that ask for another run",
    arguments: [
      ("error 3 no", PerformerCallError.answeredError(code: 3, message: "no")),
      ("error 13 no", .answeredError(code: 13, message: "no")),
      ("error 4 mine", .answeredError(code: 4, message: "mine")),
      ("error 8 too large", .answeredError(code: 8, message: "too large")),
      ("retry-later 250 4 mine", .answeredBusy("status 4: mine", retryAfter: .milliseconds(250))),
      ("retry-later 250 8 full", .answeredBusy("status 8: full", retryAfter: .milliseconds(250))),
      ("error 10 lost", .answeredBusy("status 10: lost", retryAfter: nil)), ("error 14 away", .unreachable("away")),
      ("retry-later 250 9 warming up", .answeredBusy("status 9: warming up", retryAfter: .milliseconds(250))),
      ("retry-later 250 14 away", .answeredBusy("status 14: away", retryAfter: .milliseconds(250))),
      ("retry-later 0 3 at once", .answeredBusy("status 3: at once", retryAfter: nil)),
    ])
  func tellsDefiniteAnswersFromThoseThatAsk(payload: String, expected: PerformerCallError) async throws {
    try await withConnection(ScriptedPerformer()) { [id] connection in
      #expect(await Self.failure(connection, id, payload) == expected)
    }
  }

  @Test("a performer that reports a deadline of its own has answered, and does not hang")
  func performerThatReportsDeadlineOfItsOwnHasAnswered() async throws {
    try await withConnection(ScriptedPerformer()) { [id] connection in
      let counting = CountingConnection(connection, hangThreshold: 1)
      var failure: PerformerCallError?
      do throws(PerformerCallError) {
        _ = try await counting.execute(id, payload: Array("error 4 mine".utf8), timeout: .seconds(20))
      } catch { failure = error }
      #expect(failure == .answeredError(code: 4, message: "mine"))
      #expect(counting.activity.replies == 1)
    }
  }

  @Test("carries the largest payload in a message of 4 MiB at the most")
  func carriesLargestPayloadInMessageOf4MiBAtMost() async throws {
    let payload = [UInt8](repeating: 0x2e, count: TaskSubmission.maxPayloadBytes)
    let request = Eigenlayer_Hourglass_V1_Performer_TaskRequest.with { message in
      message.taskID = .init(id.description.utf8)
      message.payload = .init(payload)
    }
    #expect(try request.serializedData().count <= 4 << 20)
    #expect(payload.count > (4 << 20) - 256, "a submission of 4 MiB would not fit")
  }

  @Test("takes a call back from the performer when its time is over, and when its caller is cancelled")
  func takesCallBackFromPerformerWhenItsTimeIsOver() async throws {
    let performer = ScriptedPerformer()
    try await withConnection(performer) { [id] connection in
      let start = ContinuousClock.now
      #expect(await Self.failure(connection, id, "hang", timeout: .milliseconds(300)) == .timedOut)
      #expect(ContinuousClock.now - start < .seconds(4))
      try await eventually { performer.cancelledCount == 1 }
      let caller = Task { await Self.failure(connection, id, "hang") }
      try await eventually { performer.receivedTaskIDs.count == 2 }
      caller.cancel()
      #expect(await caller.value == .cancelled)
      try await eventually { performer.cancelledCount == 2 }
    }
  }
}
