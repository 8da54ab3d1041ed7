import PonosDocker
import PonosTesting
import Testing

@Suite("An engine that misbehaves")
struct MisbehavingEngineTests {
  @Test("and hangs costs a call no more than its deadline")
  func hangsCostsCallNoMoreThanItsDeadline() async throws {
    try await ScriptedSocketServer.run { _ in
      [.hang]
    } _: { server in
      let start = ContinuousClock.now
      let error = await #expect(throws: DockerError.self) { try await server.client(callLimit: .milliseconds(200)).info() }
      #expect(error?.code == .timedOut)
      #expect(error?.isEngineDown == true)
      #expect(ContinuousClock.now - start < .seconds(2))
    }
  }

  @Test("and hangs in the middle of an answer costs no more either")
  func hangsInMiddleOfAnswerCostsNoMoreEither() async throws {
    try await ScriptedSocketServer.run { request in
      request.path == "/version" ? .version() : [.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[{"), .hang]
    } _: { server in
      let error = await #expect(throws: DockerError.self) {
        try await server.client(callLimit: .milliseconds(200)).containers(labels: [], all: true)
      }
      #expect(error?.code == .timedOut)
    }
  }

  @Test("and answers without end is cut off")
  func answersWithoutEndIsCutOff() async throws {
    let chunk = String(repeating: " ", count: 4096)
    try await ScriptedSocketServer.run { request in
      request.path == "/version" ? .version() : .stream(Array(repeating: chunk, count: 64)) + [.hang]
    } _: { server in
      let error = await #expect(throws: DockerError.self) {
        try await server.client(replyLimit: 100_000).containers(labels: [], all: true)
      }
      #expect(error?.code == .replyTooLarge)
    }
  }

  @Test("and answers something else than promised is reported with its words")
  func answersSomethingElseThanPromisedIsReported() async throws {
    try await ScriptedSocketServer.run { request in
      switch request.path {
      case "/version": .version()
      case "/containers/json": .reply(200, #"{"not":"a list"}"#)
      case "/containers/c/json": .reply(502, "<html>bad gateway</html>")
      default: .reply(409, #"{"cause":"in use","message":"network is in use","response":409}"#)
      }
    } _: { server in
      let client = server.client()
      let list = await #expect(throws: DockerError.self) { try await client.containers(labels: [], all: true) }
      #expect(list?.code == .malformedReply)
      let inspect = await #expect(throws: DockerError.self) { try await client.container("c") }
      #expect(inspect?.code == .engineFailed && inspect?.cause == "<html>bad gateway</html>")
      let remove = await #expect(throws: DockerError.self) { try await client.removeNetwork("n") }
      #expect(remove?.code == .conflict && remove?.cause == "network is in use")
    }
  }

  @Test("or does not run at all is unreachable at once")
  func orDoesNotRunAtAllIsUnreachableAtOnce() async throws {
    let client = DockerClient(endpoint: .unixSocket("/tmp/ponos-no-such.sock"))
    let start = ContinuousClock.now
    let error = await #expect(throws: DockerError.self) { try await client.ping() }
    #expect(error?.code == .unreachable)
    #expect(ContinuousClock.now - start < .seconds(1))
  }

  @Test("lets a cancelled caller go")
  func letsCancelledCallerGo() async throws {
    try await ScriptedSocketServer.run { _ in
      [.hang]
    } _: { server in
      let client = server.client(callLimit: .seconds(30))
      try await withThrowingTaskGroup(of: DockerError.Code?.self) { group in
        group.addTask {
          do throws(DockerError) { _ = try await client.info() } catch { return error.code }
          return nil
        }
        try await eventually { !server.requests.isEmpty }
        group.cancelAll()
        #expect(try await group.next() == .cancelled)
      }
    }
  }

  @Test("and closes the event stream ends the subscription; a line that is no event is an error")
  func closesEventStreamEndsSubscription() async throws {
    try await ScriptedSocketServer.run { request in
      switch (request.path, request.target.contains("garbage")) {
      case ("/version", _): .version(newest: "1.52")
      case (_, true): .stream(["{\"Action\":\"die\"}\nnonsense\n"])
      // Without the fields that newer engines have dropped.
      default:
        .stream([
          #"{"Type":"container","Action":"die","Actor":{"ID":"c1","Attri"#, #"butes":{"exitCode":"137"}},"timeNano":5}"# + "\n",
        ])
      }
    } _: { server in
      let client = server.client()
      let events = Collected<EngineEvent>()
      try await client.containerEvents(labels: ["x"], actions: ["die"]) {
      } handle: {
        events.append($0)
      }
      #expect(events.values.map(\.actorID) == ["c1"])
      #expect(events.values.first?.attributes["exitCode"] == "137")
      let error = await #expect(throws: DockerError.self) {
        try await client.containerEvents(labels: ["garbage"], actions: ["die"]) {
        } handle: { _ in
        }
      }
      #expect(error?.code == .malformedReply)
    }
  }
}
