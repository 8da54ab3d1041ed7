import Foundation
import GRPCCore
import PonosAPI
import PonosCore
import PonosPerformerTesting
import PonosTesting
import PonosTransport
import SwiftProtobuf
import Testing

@Suite struct ScriptedPerformerTests {
  /// Runs `performer` on loopback, with a client of it.
  private func with<Result: Sendable>(
    _ performer: ScriptedPerformer, _ body: @Sendable (Caller) async throws -> Result
  ) async throws -> Result {
    try await performer.withServer { port in
      try await withGRPCClient(
        transport: try Transports.client(ClientTransportSettings(host: "127.0.0.1", port: port))
      ) { client in try await body(Caller(client: client)) }
    }
  }

  @Test func doesWhatThePayloadSays() async throws {
    let performer = ScriptedPerformer()
    try await with(performer) { caller async throws in
      #expect(try await caller.answer("plain") == "plain")
      #expect(try await caller.answer("echo two words") == "two words")
      #expect(try await caller.answer("delay 1 late") == "late")
      #expect(try await caller.reply("wrong-id").taskID != Data(RunningPerformer.someID.utf8))
      #expect(try await caller.reply("empty-id").taskID.isEmpty)
      #expect(try await caller.reply("oversize 2000000").result.count == 2_000_000)
      #expect(try await caller.answer("count") == "7")
      let error = try await #require(throws: RPCError.self) { try await caller.reply("error 9 no way") }
      #expect(error.code == .failedPrecondition)
      #expect(error.message == "no way")
      #expect(try await caller.answer("inspect").contains("NoNewPrivs: "))
      let dice = Set([try await caller.answer("dice 1"), try await caller.answer("dice 1")])
      #expect(dice.count == 2 && dice.allSatisfy { $0.count == 32 })
      let tally = PerformerTally(text: try await caller.answer("tally"))
      #expect(tally == PerformerTally(tasks: 1, runs: 12, repeated: [try #require(TaskID(hex: RunningPerformer.someID)): 12]))
      #expect(performer.receivedTaskIDs.count == 12)
      #expect(performer.finishedCount == 11)
    }
  }

  @Test func healthIsScriptedToo() async throws {
    let performer = ScriptedPerformer(health: .notServing)
    try await with(performer) { caller async throws in
      #expect(try await caller.health() == .notServing)
      performer.setHealth(.serving)
      #expect(try await caller.health() == .serving)
      performer.setHealth(.missing)
      #expect(try await status { try await caller.health() } == .unimplemented)
    }
  }

  @Test func hangsWhenToldSo() async throws {
    try await with(ScriptedPerformer()) { caller async throws in
      _ = await #expect(throws: RPCError.self) { try await caller.reply("hang", timeout: .milliseconds(100)) }
    }
  }
}

/// Calls a performer.
private struct Caller: Sendable {
  var client: GRPCClient<ClientTransportInUse>

  func reply(
    _ payload: String, timeout: Duration = .seconds(30)
  ) async throws -> Eigenlayer_Hourglass_V1_Performer_TaskResponse {
    var options = CallOptions.defaults
    options.timeout = timeout
    let request = TaskRequest.with {
      $0.taskID = Data(RunningPerformer.someID.utf8)
      $0.payload = Data(payload.utf8)
    }
    return try await TaskClient(wrapping: client).executeTask(request, options: options)
  }

  func answer(_ payload: String) async throws -> String {
    String(decoding: try await reply(payload).result, as: UTF8.self)
  }

  func health() async throws -> Grpc_Health_V1_HealthCheckResponse.ServingStatus {
    try await HealthClient(wrapping: client).check(.init()).status
  }
}
