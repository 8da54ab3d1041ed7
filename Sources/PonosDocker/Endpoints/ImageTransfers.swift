import AsyncHTTPClient
import FoundationEssentials
import NIOCore

extension DockerClient {
  /// Brings `repository:version` from its registry, where `version` is a tag or a digest, and returns the image.
  ///
  /// The engine reports most failures inside an answer of status 200, so success is an end of the stream without an error *and* the
  /// image being there afterwards. Only a pull by digest notices a manifest that was tampered with.
  /// `idleLimit` bounds the time without a sign of progress (the engine has no limit of its own), `totalLimit` the whole.
  package func pullImage(
    repository: String, version: String, credentials: RegistryCredentials? = nil,
    idleLimit: Duration = .seconds(60), totalLimit: Duration = .seconds(1800)
  ) async throws(DockerError) -> ImageDetails {
    let reference = version.hasPrefix("sha256:") ? "\(repository)@\(version)" : "\(repository):\(version)"
    var request = EngineRequest.post("/images/create", query: [("fromImage", repository), ("tag", version)])
    if let credentials { request.headers.append(try Self.authorization(credentials)) }
    do {
      _ = try await transfer(request, idleLimit: idleLimit, totalLimit: totalLimit)
    } catch {
      throw PullFailure.error(pulling: reference, error)
    }
    guard let image = try await image(reference) else {
      throw DockerError(
        .pullFailed, "Docker reported no error pulling \(reference), but does not hold the image",
        cure: "Check dockerd's log.")
    }
    return image
  }

  /// Sends `repository:tag` to its registry and returns the digest it has there.
  package func pushImage(
    repository: String, tag: String, credentials: RegistryCredentials? = nil,
    idleLimit: Duration = .seconds(60), totalLimit: Duration = .seconds(1800)
  ) async throws(DockerError) -> String {
    var request = EngineRequest.post("/images/\(EngineRequest.segment(repository))/push", query: [("tag", tag)])
    // The header must be there even for an anonymous push; this is an empty object.
    request.headers.append(try credentials.map(Self.authorization) ?? ("X-Registry-Auth", "e30="))
    let messages: [ProgressMessage]
    do {
      messages = try await transfer(request, idleLimit: idleLimit, totalLimit: totalLimit)
    } catch {
      throw PullFailure.error(pulling: "\(repository):\(tag)", error)
    }
    guard let digest = messages.compactMap({ $0.aux?.digest }).last else {
      throw DockerError(.malformedReply, "Docker reported no digest pushing \(repository):\(tag)")
    }
    return digest
  }

  /// Builds an image called `tag` from a tar archive with a `Dockerfile` in it, without network, and returns its id.
  package func buildImage(
    context tar: ByteBuffer, tag: String, labels: [String: String] = [:], totalLimit: Duration = .seconds(600)
  ) async throws(DockerError) -> String {
    let labelText: String
    do {
      labelText = String(decoding: try JSONEncoder().encode(labels), as: UTF8.self)
    } catch {
      throw DockerError(.badRequest, "The labels of \(tag) cannot be written as JSON", cause: "\(error)")
    }
    var request = EngineRequest.post(
      "/build", query: [("t", tag), ("labels", labelText), ("forcerm", "1"), ("networkmode", "none")])
    request.headers.append(("Content-Type", "application/x-tar"))
    request.body = tar
    do {
      _ = try await transfer(request, idleLimit: totalLimit, totalLimit: totalLimit)
    } catch {
      throw error.code == .pullFailed
        ? DockerError(.buildFailed, "Docker could not build \(tag)", status: error.status, cause: error.cause) : error
    }
    guard let image = try await image(tag) else {
      throw DockerError(.buildFailed, "Docker reported no error building \(tag), but does not hold the image")
    }
    return image.id
  }

  /// Brings the images of an archive, as `docker save` writes it, into the engine.
  ///
  /// - Parameter archive: Path of the file; it is read piece by piece.
  package func loadImages(archive: String, totalLimit: Duration = .seconds(600)) async throws(DockerError) {
    var request = EngineRequest.post("/images/load", query: [("quiet", "1")])
    request.headers.append(("Content-Type", "application/x-tar"))
    request.bodyFile = archive
    do {
      _ = try await transfer(request, idleLimit: totalLimit, totalLimit: totalLimit)
    } catch {
      throw error.code == .pullFailed
        ? DockerError(.buildFailed, "Docker could not load \(archive)", status: error.status, cause: error.cause) : error
    }
  }

  /// Reads a stream of progress messages to its end and returns the few that carry results. Throws `pullFailed` with the engine's
  /// words for the first message that reports a failure.
  private func transfer(
    _ request: EngineRequest, idleLimit: Duration, totalLimit: Duration
  ) async throws(DockerError) -> [ProgressMessage] {
    do {
      return try await withIdleDeadline(idle: idleLimit, total: totalLimit) { [self] activity in
        try await stream(request, headLimit: totalLimit) { body in
          var reader = ProgressReader(request: request.summary)
          for try await bytes in body {
            activity.touch()
            try reader.feed(bytes)
          }
          return try reader.finish()
        }
      }
    } catch let error as DockerError {
      throw error
    } catch {
      guard error is DeadlineExceeded else { throw DockerError(.cancelled, "\(request.summary) was cancelled") }
      throw DockerError(
        .pullStalled, "\(request.summary) made no progress for \(idleLimit), or took longer than \(totalLimit)",
        cure: "Check the registry and the network of the Docker Engine.")
    }
  }

  /// The engine takes unpadded or standard base64 for no credentials at all: it must be the URL alphabet, padded.
  private static func authorization(
    _ credentials: RegistryCredentials
  ) throws(DockerError) -> (name: String, value: String) {
    do {
      let text = try JSONEncoder().encode(credentials.payload).base64EncodedString()
      return (
        "X-Registry-Auth",
        String(text.map { $0 == "+" ? "-" : $0 == "/" ? "_" : $0 })
      )
    } catch {
      throw DockerError(.badRequest, "The credentials of \(credentials) cannot be written as JSON", cause: "\(error)")
    }
  }
}

/// Reads the messages of a pull, push or build.
private struct ProgressReader {
  let request: String
  private var splitter = LineSplitter()
  private var results: [ProgressMessage] = []

  init(request: String) {
    self.request = request
  }

  mutating func feed(_ bytes: ByteBuffer) throws(DockerError) {
    for line in try splitter.feed(bytes) { try read(line) }
  }

  mutating func finish() throws(DockerError) -> [ProgressMessage] {
    if let line = splitter.finish() { try read(line) }
    return results
  }

  private mutating func read(_ line: ByteBuffer) throws(DockerError) {
    let message: ProgressMessage
    do {
      message = try JSONDecoder().decode(ProgressMessage.self, from: Data(line.readableBytesView))
    } catch {
      throw DockerError(
        .malformedReply, "Docker sent something other than progress during \(request)",
        cause: String(String(buffer: line).prefix(200)))
    }
    if let failure = message.failure {
      throw DockerError(.pullFailed, "\(request) failed", status: 200, cause: failure)
    }
    // Two digests at the most belong to a transfer; the bound keeps a talkative engine from filling memory.
    if message.aux != nil, results.count < 16 { results.append(message) }
  }
}
