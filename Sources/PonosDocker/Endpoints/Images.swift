import NIOCore

extension DockerClient {
  /// An image by reference, digest reference or id; nil when the engine does not hold it.
  package func image(_ reference: String) async throws(DockerError) -> ImageDetails? {
    do {
      return try await call(.get("/images/\(EngineRequest.segment(reference))/json"), as: ImageDetails.self)
    } catch {
      if error.code == .notFound { return nil }
      throw error
    }
  }

  /// Images that carry all of `labels` (`name` or `name=value` each); all of them for an empty list.
  package func images(labels: [String] = []) async throws(DockerError) -> [ImageSummary] {
    let query = labels.isEmpty ? [] : [try EngineRequest.filters(["label": labels])]
    return try await call(.get("/images/json", query: query), as: [ImageSummary].self)
  }

  /// Gives the image `source` the further name `repository:tag`.
  package func tagImage(_ source: String, repository: String, tag: String) async throws(DockerError) {
    try await call(
      .post("/images/\(EngineRequest.segment(source))/tag", query: [("repo", repository), ("tag", tag)]))
  }

  /// Takes a name off an image, and the image away with its last name. Does nothing when it is gone.
  package func removeImage(_ reference: String, force: Bool = false) async throws(DockerError) {
    try await call(
      .delete("/images/\(EngineRequest.segment(reference))", query: [("force", force ? "1" : "0")]),
      limit: .seconds(60), accepting: [404])
  }
}
