import NIOCore
import PonosContainers
import PonosCore
import PonosStoreTesting
import PonosTesting
import Testing

@Suite("A connection to a performer over HTTP")
struct HTTPPerformerConnectionTests {
  typealias Server = ScriptedSocketServer

  private let id = StoreRecords.taskID(1)

  /// Gives `body` a connection to a performer that answers by `script`.
  private func withConnection(
    _ script: @escaping @Sendable (Server.Request) -> [Server.Step],
    _ body: @escaping @Sendable (HTTPPerformerConnection, Server) async throws -> Void
  ) async throws {
    try await Server.runOnLoopback(script: script) { server, port in
      let connection = Self.connection(port: port)
      let outcome: Result<Void, any Error>
      do { outcome = .success(try await body(connection, server)) } catch { outcome = .failure(error) }
      await connection.close()
      try outcome.get()
    }
  }

  private static func connection(port: Int) -> HTTPPerformerConnection {
    HTTPPerformerConnection(
      PerformerEndpoint(
        performerID: "p", avs: StoreRecords.address(1), host: "127.0.0.1",
        interface: .init(style: .http(taskPath: "/run?v=1", healthPath: "/up"), port: port)),
      taskPath: "/run?v=1", healthPath: "/up")
  }

  private func run(
    _ connection: HTTPPerformerConnection, _ payload: String = "work", timeout: Duration = .seconds(20)
  ) async -> Result<PerformerReply, PerformerCallError> {
    do throws(PerformerCallError) {
      return .success(try await connection.execute(id, payload: Array(payload.utf8), timeout: timeout))
    } catch { return .failure(error) }
  }

  private func failure(
    _ connection: HTTPPerformerConnection, timeout: Duration = .seconds(20)
  ) async -> PerformerCallError? {
    if case .failure(let error) = await run(connection, timeout: timeout) { error } else { nil }
  }

  /// An answer with the id echoed, over a connection that stays open.
  private static func answer(_ request: Server.Request, _ body: String, status: Int = 200, headers: String = "") -> [Server.Step]
  {
    let id = request.header("Ponos-Task-Id").first ?? ""
    return [
      .send(
        "HTTP/1.1 \(status) X\r\nponos-task-id: \(id)\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"),
      .next,
    ]
  }

  // MARK: Tasks

  @Test(
    "posts the payload as it is, with the id and the time that is left, and reads the answer as it is", arguments: ["", "work"])
  func postsPayloadAsItIs(payload: String) async throws {
    try await withConnection({ Self.answer($0, "\($0.body.readableBytes) bytes") }) { connection, server in
      let reply = try await run(connection, payload, timeout: .milliseconds(9750)).get()
      #expect(reply == PerformerReply(echoedID: Array(id.description.utf8), output: Array("\(payload.utf8.count) bytes".utf8)))
      let request = try #require(server.requests.first)
      #expect(request.method == "POST" && request.target == "/run?v=1" && String(buffer: request.body) == payload)
      #expect(request.header("Ponos-Task-Id") == [id.description] && request.header("Ponos-Timeout-Ms") == ["9750"])
      #expect(request.header("Content-Type") == ["application/octet-stream"])
      #expect(request.header("Content-Length") == ["\(payload.utf8.count)"])
    }
  }

  @Test("uses a connection again, and opens as many as there are tasks at a time")
  func usesConnectionAgain() async throws {
    let slowly: @Sendable (Server.Request) -> [Server.Step] = { request in
      (request.target == "/up" ? [] : [.wait(.milliseconds(300))]) + Self.answer(request, "x")
    }
    try await withConnection(slowly) { connection, server in
      for _ in 0..<3 { _ = try await run(connection).get() }
      #expect(await connection.probe.check(timeout: .seconds(20)) == .serving)
      #expect(server.connectionCount == 1)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<20 { group.addTask { _ = try await run(connection).get() } }
        try await group.waitForAll()
      }
      // More than the eight a client opens unless it is told otherwise.
      #expect(server.connectionCount > 8)
    }
  }

  @Test("takes chunks for an answer, and an answer without an id for one without an id")
  func takesChunksForAnswer() async throws {
    try await withConnection({ _ in .stream(["one ", "two"]) }) { connection, _ in
      let reply = try await run(connection).get()
      #expect(reply == PerformerReply(echoedID: [], output: Array("one two".utf8)))
    }
  }

  @Test(
    "tells definite answers from those that ask for another run",
    arguments: [
      (400, "", PerformerCallError.answeredError(code: 400, message: "what it says")),
      (500, "", .answeredError(code: 500, message: "what it says")), (204, "", .answeredError(code: 204, message: "")),
      (302, "Location: /elsewhere\r\n", .answeredError(code: 302, message: "what it says")),
      (502, "Retry-After: 1\r\n", .answeredError(code: 502, message: "what it says")),
      (429, "", .answeredBusy("status 429: what it says", retryAfter: nil)),
      (503, "Retry-After: 7\r\n", .answeredBusy("status 503: what it says", retryAfter: .seconds(7))),
      (503, "Retry-After: soon\r\n", .answeredBusy("status 503: what it says", retryAfter: nil)),
    ])
  func tellsDefiniteAnswersFromThoseThatAsk(status: Int, headers: String, expected: PerformerCallError) async throws {
    try await withConnection({ Self.answer($0, status == 204 ? "" : "what\nit says", status: status, headers: headers) }) {
      connection, server in
      #expect(await failure(connection) == expected)
      #expect(server.requests.count == 1)
    }
  }

  @Test("reads the beginning of a long message only")
  func readsBeginningOfLongMessageOnly() async throws {
    try await withConnection({ _ in
      [
        .send("HTTP/1.1 400 X\r\nTransfer-Encoding: chunked\r\n\r\n"),
        .repeated("3e8\r\n\(String(repeating: "m", count: 1000))\r\n", times: 1 << 20),
      ]
    }) { connection, _ in
      #expect(await failure(connection) == .answeredError(code: 400, message: String(repeating: "m", count: 1024)))
    }
  }

  // MARK: Hostile answers

  @Test("refuses an answer that is announced too large without reading it, and one that grows too large where it does")
  func refusesAnswerThatIsAnnouncedTooLarge() async throws {
    let gibibyte = 1 << 30
    let piece = String(repeating: "z", count: 1 << 16)
    for head in ["Content-Length: \(gibibyte)", "Transfer-Encoding: chunked"] {
      try await withConnection({ _ in
        let isChunked = head.hasPrefix("T")
        return [
          .send("HTTP/1.1 200 OK\r\n\(head)\r\n\r\n"),
          .repeated(isChunked ? "10000\r\n\(piece)\r\n" : piece, times: gibibyte >> 16),
        ]
      }) { connection, server in
        #expect(await failure(connection) == .replyTooLarge)
        #expect(server.bytesSent < 64 << 20, "it was read on and on: \(server.bytesSent) bytes")
      }
    }
  }

  @Test("takes the largest output there may be, and not one byte more", arguments: [0, 1])
  func takesLargestOutputThereMayBe(excess: Int) async throws {
    let body = String(repeating: "o", count: ResponseChecks.maxOutputBytes + excess)
    try await withConnection({ Self.answer($0, body) }) { connection, _ in
      switch await run(connection) {
      case .success(let reply): #expect(excess == 0 && reply.output.count == ResponseChecks.maxOutputBytes)
      case .failure(let error): #expect(excess == 1 && error == .replyTooLarge)
      }
    }
  }

  @Test(
    "does not take part of an answer for an answer",
    arguments: [
      "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n",
      "HTTP/1.1 200 OK\r\nContent-Le", "", "\u{16}\u{3}\u{1}\u{2}garbage\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n",
    ])
  func doesNotTakePartOfAnswerForAnswer(text: String) async throws {
    try await withConnection({ _ in [.send(text)] }) { connection, _ in
      guard case .unreachable = await failure(connection) else { return #expect(Bool(false), "\(text)") }
    }
  }

  @Test("refuses an answer whose end nobody can tell from a broken connection")
  func refusesAnswerWhoseEndNobodyCanTellFromBroken() async throws {
    try await withConnection({ _ in [.send("HTTP/1.1 200 OK\r\nponos-task-id: x\r\n\r\nhalf of i")] }) { connection, _ in
      guard case .answeredError(200, let message) = await failure(connection) else { return #expect(Bool(false)) }
      #expect(message.contains("Content-Length"))
    }
  }

  @Test("keeps to the deadline while an answer drips in, and while none comes at all", arguments: [true, false])
  func keepsToDeadlineWhileAnswerDripsIn(drips: Bool) async throws {
    try await withConnection({ _ in
      guard drips else { return [.hang] }
      let drops = (0..<200).flatMap { _ in [Server.Step.send("x"), .wait(.milliseconds(50))] }
      return [.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")] + drops
    }) { connection, server in
      let start = ContinuousClock.now
      #expect(await failure(connection, timeout: .milliseconds(300)) == .timedOut)
      #expect(ContinuousClock.now - start < .seconds(4))
      if !drips { try await eventually { server.departureCount == 1 } }
    }
  }

  @Test("a caller that is cancelled takes the call back from the performer")
  func callerThatIsCancelledTakesCallBackFromPerformer() async throws {
    try await withConnection({ _ in [.hang] }) { connection, server in
      let caller = Task { await failure(connection) }
      try await eventually { server.requests.count == 1 }
      caller.cancel()
      #expect(await caller.value == .cancelled)
      try await eventually { server.departureCount == 1 }
    }
  }

  @Test("that closes ends calls in flight, and blames none of it on the performer")
  func thatClosesEndsCallsInFlight() async throws {
    try await withConnection({ _ in [.hang] }) { connection, server in
      async let ended = failure(connection)
      try await eventually { server.requests.count == 1 }
      await connection.close()
      #expect(await ended == .unreachable("its connection was closed"))
      #expect(await failure(connection) == .unreachable("its connection was closed"))
      await connection.close()
    }
  }

  @Test("to a port where nobody listens says so at once")
  func toPortWhereNobodyListensSaysSoAtOnce() async throws {
    let port = try await Server.runOnLoopback(script: { _ in [] }) { _, port in port }
    let connection = Self.connection(port: port)
    guard case .unreachable = await failure(connection) else { return #expect(Bool(false)) }
    guard case .unreachable = await connection.probe.check(timeout: .seconds(20)) else { return #expect(Bool(false)) }
    await connection.close()
  }

  // MARK: Health

  @Test("asks after health by GET: 200 serves, anything else does not, silence is silence")
  func asksAfterHealthByGET() async throws {
    for (status, report) in [
      (200, ProbeResult.serving), (503, .notServing("GET /up answers 503: warming up")),
      (404, .notServing("GET /up answers 404: warming up")),
    ] {
      try await withConnection({ Self.answer($0, "warming up", status: status) }) { connection, server in
        #expect(await connection.probe.check(timeout: .seconds(20)) == report)
        #expect(server.requests.map(\.target) == ["/up"] && server.requests[0].method == "GET")
      }
    }
    try await withConnection({ _ in [.hang] }) { connection, server in
      guard case .timedOut = await connection.probe.check(timeout: .milliseconds(200)) else { return #expect(Bool(false)) }
      try await eventually { server.departureCount == 1 }
    }
  }
}
