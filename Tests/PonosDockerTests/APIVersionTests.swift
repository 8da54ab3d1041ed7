import PonosDocker
import PonosTesting
import Testing

@Suite("API version")
struct APIVersionTests {
  @Test("is compared number by number")
  func isComparedNumberByNumber() throws {
    #expect(try #require(APIVersion("1.9")) < APIVersion(1, 41))
    #expect(APIVersion(1, 100) > APIVersion(1, 52))
    #expect(APIVersion("1.41") == APIVersion(1, 41))
    for text in ["", "1", "1.", ".41", "1.41.2", "a.b", "-1.41", "1.-4"] { #expect(APIVersion(text) == nil, "\(text)") }
  }

  @Test(
    "is the newest both sides speak",
    arguments: [("1.12", "1.41", 41), ("1.24", "1.51", 44), ("1.44", "1.52", 44), ("1.12", "1.43", 43)])
  func isNewestBothSidesSpeak(oldest: String, newest: String, minor: Int) async throws {
    try await ScriptedSocketServer.run { request in
      switch request.path {
      case "/version": .version(oldest: oldest, newest: newest)
      case "/containers/json": .reply(200, "[]")
      default: .reply(404, "{}")
      }
    } _: { server in
      let client = server.client()
      #expect(try await client.apiVersion() == APIVersion(1, minor))
      _ = try await client.containers(labels: [], all: true)
      #expect(server.requests.last?.version == "1.\(minor)")
      #expect(server.requests.last?.header("Host") == ["docker"])
    }
  }

  @Test("is refused with both ranges when there is none in common", arguments: [("1.12", "1.40"), ("1.45", "1.60")])
  func isRefusedWithBothRangesWhenThereIsNoneInCommon(oldest: String, newest: String) async throws {
    try await ScriptedSocketServer.run { _ in
      .version(oldest: oldest, newest: newest)
    } _: { server in
      let error = await #expect(throws: DockerError.self) { try await server.client().info() }
      #expect(error?.code == .versionUnsupported)
      #expect(error?.message.contains("\(oldest) to \(newest)") == true)
      #expect(error?.message.contains("1.41 to 1.44") == true)
    }
  }

  @Test("is negotiated again when the engine was replaced by a newer one")
  func isNegotiatedAgainWhenEngineWasReplacedByNewerOne() async throws {
    try await ScriptedSocketServer.run { request in
      switch (request.path, request.version) {
      case ("/version", _): .version(oldest: "1.44", newest: "1.52")
      case ("/containers/json", "1.44"): .reply(200, "[]")
      default:
        .reply(400, #"{"message":"client version 1.41 is too old. Minimum supported API version is 1.44, please upgrade"}"#)
      }
    } _: { server in
      let client = server.client()
      client.assume(APIVersion(1, 41))
      let containers = try await client.containers(labels: [], all: true)
      #expect(containers.isEmpty)
      #expect(server.requests.map(\.path) == ["/containers/json", "/version", "/containers/json"])
    }
  }

  @Test("that keeps being refused ends in the engine's error, not in a loop")
  func thatKeepsBeingRefusedEndsInEnginesError() async throws {
    try await ScriptedSocketServer.run { request in
      request.path == "/version"
        ? .version() : .reply(400, #"{"message":"client version 1.41 is too new. Maximum supported API version is 1.41"}"#)
    } _: { server in
      let error = await #expect(throws: DockerError.self) { try await server.client().info() }
      #expect(error?.code == .badRequest)
      #expect(server.requests.count == 4)
    }
  }
}
