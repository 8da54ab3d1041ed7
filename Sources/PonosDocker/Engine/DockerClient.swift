import AsyncHTTPClient
import Dispatch
import FoundationEssentials
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A typed client of the Docker Engine API.
///
/// Every call has a deadline and a limit on what it reads. The API version is negotiated with the first call, and again when the
/// engine refuses it (it was upgraded while we ran). Connections are freed when the last reference to the client goes.
/// The calls themselves are in `Endpoints/`.
package final class DockerClient: Sendable {
  /// The engine this client talks to.
  package let endpoint: DockerEndpoint
  /// Time a call may take unless it says otherwise.
  package let callLimit: Duration
  /// Largest answer a call reads, in bytes.
  package let replyLimit: Int
  private let http: HTTPClient
  private let negotiated = Mutex<APIVersion?>(nil)

  package init(endpoint: DockerEndpoint, callLimit: Duration = .seconds(15), replyLimit: Int = 16 << 20) {
    self.endpoint = endpoint
    self.callLimit = callLimit
    self.replyLimit = replyLimit
    var configuration = HTTPClient.Configuration()
    configuration.redirectConfiguration = .disallow
    configuration.httpVersion = .http1Only
    configuration.timeout = .init(connect: .seconds(5))
    configuration.decompression = .disabled
    // Event and pull streams occupy their connection for as long as they last.
    configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 64
    configuration.connectionPool.idleTimeout = .seconds(30)
    // A refused connection means that the engine is down: callers hear of it at once and decide when to try again.
    configuration.connectionPool.retryConnectionEstablishment = false
    http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
  }

  deinit {
    http.shutdown(queue: .global()) { _ in }
  }

  // MARK: Version

  /// The API version in use; negotiates it when that has not happened yet.
  package func apiVersion() async throws(DockerError) -> APIVersion {
    if let version = negotiated.withLock({ $0 }) { return version }
    return try await renegotiate()
  }

  /// Asks the engine which versions it speaks and settles on one. To be called after the engine was away.
  @discardableResult
  package func renegotiate() async throws(DockerError) -> APIVersion {
    let engine = try await version()
    let version = try APIVersion.negotiate(serverOldest: engine.minAPIVersion, serverNewest: engine.apiVersion)
    negotiated.withLock { $0 = version }
    return version
  }

  /// Uses `version` until the engine refuses it.
  package func assume(_ version: APIVersion) {
    negotiated.withLock { $0 = version }
  }

  // MARK: Calls with a complete answer

  /// Sends `request` and reads its whole answer. Statuses outside 200…399 are thrown, except those in `accepting`.
  @discardableResult
  func call(
    _ request: EngineRequest, limit: Duration? = nil, accepting: Set<Int> = []
  ) async throws(DockerError) -> EngineReply {
    try await withVersion(request) { (version) async throws(DockerError) in
      let reply = try await self.exchange(request, version: version, limit: limit ?? self.callLimit)
      guard (200..<400).contains(reply.status) || accepting.contains(reply.status) else {
        throw EngineFailure.error(for: request, status: reply.status, message: reply.errorMessage)
      }
      return reply
    }
  }

  /// Sends `request` and reads its answer as JSON.
  func call<Value: Decodable>(
    _ request: EngineRequest, as type: Value.Type, limit: Duration? = nil
  ) async throws(DockerError) -> Value {
    let reply = try await call(request, limit: limit)
    do {
      return try JSONDecoder().decode(type, from: Data(reply.body.readableBytesView))
    } catch {
      throw DockerError(
        .malformedReply, "Docker's answer to \(request.summary) cannot be read as \(type)", status: reply.status,
        cause: "\(error)")
    }
  }

  private func exchange(
    _ request: EngineRequest, version: APIVersion?, limit: Duration
  ) async throws(DockerError) -> EngineReply {
    do {
      return try await withDeadline(limit) { [self] in
        let response = try await execute(request, version: version, limit: limit)
        return EngineReply(
          status: Int(response.status.code), headers: response.headers,
          body: try await response.body.collect(upTo: replyLimit))
      }
    } catch {
      throw failure(of: request, error, limit: limit)
    }
  }

  // MARK: Calls with a streamed answer

  /// Sends `request`, waits at most `headLimit` for its status, and hands the body to `consume`, which may take as long as it
  /// likes. Leaving `consume` early closes the connection.
  func stream<Value: Sendable>(
    _ request: EngineRequest, headLimit: Duration? = nil,
    consume: @Sendable (HTTPClientResponse.Body) async throws -> Value
  ) async throws(DockerError) -> Value {
    let limit = headLimit ?? callLimit
    return try await withVersion(request) { (version) async throws(DockerError) in
      do {
        let response = try await self.execute(request, version: version, limit: limit)
        guard (200..<300).contains(response.status.code) else {
          let body = try await withDeadline(limit) { try await response.body.collect(upTo: 64 << 10) }
          throw EngineFailure.error(
            for: request, status: Int(response.status.code), message: EngineFailure.text(of: body))
        }
        return try await consume(response.body)
      } catch {
        throw self.failure(of: request, error, limit: limit)
      }
    }
  }

  // MARK: Beneath both

  /// Runs `body` with the negotiated version, and once more with a new one if the engine refuses that.
  private func withVersion<Value>(
    _ request: EngineRequest, _ body: (APIVersion?) async throws(DockerError) -> Value
  ) async throws(DockerError) -> Value {
    if request.isUnversioned { return try await body(nil) }
    do {
      return try await body(try await apiVersion())
    } catch {
      guard APIVersion.isRefusal(status: error.status ?? 0, message: error.cause ?? "") else { throw error }
      return try await body(try await renegotiate())
    }
  }

  private func execute(_ request: EngineRequest, version: APIVersion?, limit: Duration) async throws -> HTTPClientResponse {
    var message = HTTPClientRequest(url: endpoint.urlPrefix + request.target(version: version))
    message.method = request.method
    // Over a unix socket nobody adds this header, and the engine answers 400 without it.
    message.headers.add(name: "Host", value: "docker")
    for header in request.headers { message.headers.add(name: header.name, value: header.value) }
    if let body = request.body { message.body = .bytes(body) }
    if let path = request.bodyFile {
      let chunks = try FileChunks(path: path)
      message.body = .stream(chunks, length: .known(chunks.length))
    }
    return try await http.execute(message, timeout: TimeAmount(limit))
  }

  /// What `error`, thrown while `request` was under way, means.
  private func failure(of request: EngineRequest, _ error: any Error, limit: Duration) -> DockerError {
    if let error = error as? DockerError { return error }
    if error is CancellationError || Task.isCancelled {
      return DockerError(.cancelled, "\(request.summary) was cancelled")
    }
    if error is DeadlineExceeded || error as? HTTPClientError == .deadlineExceeded {
      return DockerError(
        .timedOut, "Docker at \(endpoint) did not answer \(request.summary) within \(limit)",
        cure: "Check that dockerd is alive (docker info) and not overloaded.")
    }
    if error is NIOTooManyBytesError {
      return DockerError(.replyTooLarge, "Docker's answer to \(request.summary) is larger than \(replyLimit) bytes")
    }
    return connectionFailure(of: request, error)
  }

  private func connectionFailure(of request: EngineRequest, _ error: any Error) -> DockerError {
    if error is HTTPParserError {
      return DockerError(
        .malformedReply, "What answers \(request.summary) at \(endpoint) does not speak HTTP", cause: "\(error)",
        cure: "Check that DOCKER_HOST names a Docker Engine.")
    }
    if let error = error as? HTTPClientError, error == .remoteConnectionClosed {
      return DockerError(.streamBroken, "The connection to Docker at \(endpoint) broke during \(request.summary)")
    }
    return DockerError(
      .unreachable, "Docker at \(endpoint) cannot be reached for \(request.summary)", cause: "\(error)",
      cure: "Check that dockerd runs and that this user may open its socket.")
  }
}
