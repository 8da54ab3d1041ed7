import AsyncHTTPClient
import FoundationEssentials
import NIOCore

extension DockerClient {
  /// Hands every event of containers that carry all of `labels` to `handle`, one after the other, until the engine ends the stream
  /// (it was stopped) or the caller is cancelled. `opened` is called once the engine listens: what happens from then on is reported.
  package func containerEvents(
    labels: [String], actions: [String], opened: @Sendable () async throws -> Void,
    handle: @Sendable (EngineEvent) async throws -> Void
  ) async throws(DockerError) {
    let filters = ["type": ["container"], "label": labels, "event": actions]
    try await stream(.get("/events", query: [EngineRequest.filters(filters)])) { body in
      try await opened()
      var splitter = LineSplitter()
      let decoder = JSONDecoder()
      for try await bytes in body {
        for line in try splitter.feed(bytes) {
          let event: EngineEvent
          do {
            event = try decoder.decode(EngineEvent.self, from: Data(line.readableBytesView))
          } catch {
            throw DockerError(
              .malformedReply, "Docker sent something other than an event", cause: String(String(buffer: line).prefix(200)))
          }
          try await handle(event)
        }
      }
    }
  }
}
