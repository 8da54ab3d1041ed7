import AsyncHTTPClient

extension DockerClient {
  private struct Created: Decodable {
    let id: String
    enum CodingKeys: String, CodingKey { case id = "Id" }
  }

  /// Creates a container called `name` and returns its id. Throws `conflict` when the name is taken and `notFound` when the engine
  /// does not hold the image.
  package func createContainer(_ container: ContainerCreation, name: String) async throws(DockerError) -> String {
    let request = try EngineRequest.post("/containers/create", query: [("name", name)], json: container)
    return try await call(request, as: Created.self, limit: .seconds(60)).id
  }

  /// Starts a container; does nothing when it runs already.
  package func startContainer(_ id: String) async throws(DockerError) {
    try await call(.post("/containers/\(EngineRequest.segment(id))/start"), limit: .seconds(60))
  }

  /// Asks a container to end and kills it after `grace`; does nothing when it has ended. Returns when it has.
  package func stopContainer(_ id: String, grace: Duration) async throws(DockerError) {
    let seconds = max(0, grace.components.seconds)
    try await call(
      .post("/containers/\(EngineRequest.segment(id))/stop", query: [("t", "\(seconds)")]), limit: grace + callLimit)
  }

  /// Sends a signal to the container's first process. Throws `conflict` when the container does not run.
  package func killContainer(_ id: String, signal: String = "KILL") async throws(DockerError) {
    try await call(.post("/containers/\(EngineRequest.segment(id))/kill", query: [("signal", signal)]))
  }

  /// Removes a container and its anonymous volumes; kills it first if `force` is set. Does nothing when it is gone.
  package func removeContainer(_ id: String, force: Bool) async throws(DockerError) {
    try await call(
      .delete("/containers/\(EngineRequest.segment(id))", query: [("force", force ? "1" : "0"), ("v", "1")]),
      limit: .seconds(60), accepting: [404])
  }

  /// Containers that carry all of `labels` (`name` or `name=value` each), ended ones too if `all` is set.
  package func containers(labels: [String], all: Bool) async throws(DockerError) -> [ContainerSummary] {
    try await call(
      .get("/containers/json", query: [("all", all ? "1" : "0"), EngineRequest.filters(["label": labels])]),
      as: [ContainerSummary].self)
  }

  /// Everything about one container, by id or name. Throws `notFound` when it is gone.
  package func container(_ id: String) async throws(DockerError) -> ContainerDetails {
    try await call(.get("/containers/\(EngineRequest.segment(id))/json"), as: ContainerDetails.self)
  }

  /// Returns how a container ended, as soon as it has. Throws `timedOut` when it still runs after `limit`.
  package func waitForContainer(_ id: String, limit: Duration) async throws(DockerError) -> ContainerExit {
    // Not `next-exit`: asked after the exit, that never returns.
    try await call(
      .post("/containers/\(EngineRequest.segment(id))/wait", query: [("condition", "not-running")]),
      as: ContainerExit.self, limit: limit)
  }

  /// What a container uses now. Takes about a second on some engines: for slow sampling only.
  package func usage(ofContainer id: String) async throws(DockerError) -> ContainerUsage {
    try await call(
      .get("/containers/\(EngineRequest.segment(id))/stats", query: [("stream", "0"), ("one-shot", "1")]),
      as: ContainerUsage.self)
  }

  /// The last `lines` lines a container wrote to its standard output and error, oldest first, from the last `byteLimit` bytes of
  /// them at the most.
  package func logTail(
    ofContainer id: String, lines: Int, byteLimit: Int = 64 << 10
  ) async throws(DockerError) -> [String] {
    let request = EngineRequest.get(
      "/containers/\(EngineRequest.segment(id))/logs",
      query: [("stdout", "1"), ("stderr", "1"), ("tail", "\(lines)")])
    let limit = callLimit
    return try await stream(request) { body in
      try await withDeadline(limit) {
        var decoder = LogFrameDecoder()
        var tail = TextTail(limit: byteLimit)
        for try await bytes in body { tail.append(decoder.feed(bytes)) }
        return tail.lines(last: lines)
      }
    }
  }
}
