extension DockerClient {
  private struct CreatedNetwork: Decodable {
    let id: String
    enum CodingKeys: String, CodingKey { case id = "Id" }
  }

  /// Creates a network and returns its id. Throws `conflict` when the name is taken.
  package func createNetwork(_ network: NetworkCreation) async throws(DockerError) -> String {
    try await call(
      try EngineRequest.post("/networks/create", json: network), as: CreatedNetwork.self, limit: .seconds(30)
    ).id
  }

  /// A network by id or name; nil when there is none.
  package func network(_ name: String) async throws(DockerError) -> NetworkDetails? {
    do {
      return try await call(.get("/networks/\(EngineRequest.segment(name))"), as: NetworkDetails.self)
    } catch {
      if error.code == .notFound { return nil }
      throw error
    }
  }

  /// Networks that carry all of `labels` (`name` or `name=value` each).
  package func networks(labels: [String]) async throws(DockerError) -> [NetworkDetails] {
    try await call(.get("/networks", query: [EngineRequest.filters(["label": labels])]), as: [NetworkDetails].self)
  }

  /// Removes a network; does nothing when it is gone. Throws while containers are in it.
  package func removeNetwork(_ id: String) async throws(DockerError) {
    try await call(.delete("/networks/\(EngineRequest.segment(id))"), limit: .seconds(30), accepting: [404])
  }
}
