extension DockerClient {
  /// Whether the engine answers, within `limit`. Throws what keeps it from doing so.
  package func ping(limit: Duration = .seconds(2)) async throws(DockerError) {
    var request = EngineRequest.get("/_ping")
    request.isUnversioned = true
    try await call(request, limit: limit)
  }

  /// Version of the engine and the API versions it speaks.
  package func version() async throws(DockerError) -> EngineVersion {
    var request = EngineRequest.get("/version")
    request.isUnversioned = true
    return try await call(request, as: EngineVersion.self)
  }

  /// The engine's host and abilities.
  package func info() async throws(DockerError) -> EngineInfo {
    try await call(.get("/info"), as: EngineInfo.self)
  }
}
