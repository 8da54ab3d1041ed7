import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import PonosCore
import PonosSystem
import Synchronization

/// A connection to a performer that speaks HTTP/1.1, as docs/operations/http-performers.md describes.
///
/// TCP connections are kept and used again. No more of a reply is held than a result may have; the rest is not read.
package final class HTTPPerformerConnection: PerformerConnection {
  private let client: HTTPClient
  /// Scheme, host and port.
  private let origin: String
  private let taskURL: String
  private let healthPath: String
  private let isClosed = Atomic(false)

  /// Carries the task id there and back.
  static let taskIDHeader = "Ponos-Task-Id"
  /// Milliseconds until the executor stops waiting for the reply.
  static let timeoutHeader = "Ponos-Timeout-Ms"
  /// The largest `concurrency` there is, and a probe beside it: a task that was given a slot never waits for a connection.
  private static let maxConnections = 1025

  package init(_ endpoint: PerformerEndpoint, taskPath: String, healthPath: String) {
    origin = "http://\(endpoint.host):\(endpoint.port)"
    taskURL = origin + taskPath
    self.healthPath = healthPath
    var configuration = HTTPClient.Configuration()
    configuration.redirectConfiguration = .disallow
    configuration.httpVersion = .http1Only
    configuration.decompression = .disabled
    configuration.timeout = .init(connect: .seconds(10))
    configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = Self.maxConnections
    configuration.connectionPool.idleTimeout = .seconds(60)
    // When a run is tried again is not the client's to decide.
    configuration.connectionPool.retryConnectionEstablishment = false
    client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
  }

  // MARK: Tasks

  package func execute(
    _ id: TaskID, payload: [UInt8], timeout: Duration
  ) async throws(PerformerCallError) -> PerformerReply {
    var request = HTTPClientRequest(url: taskURL)
    request.method = .POST
    request.headers.add(name: "Content-Type", value: "application/octet-stream")
    request.headers.add(name: Self.taskIDHeader, value: id.description)
    request.headers.add(name: Self.timeoutHeader, value: "\(timeout.milliseconds)")
    request.body = .bytes(ByteBuffer(bytes: payload))
    let reply: PerformerReply?
    do {
      reply = try await withDeadline(timeout) { [request] in try await self.exchange(request) }
    } catch {
      throw failure(for: error)
    }
    guard let reply else { throw .timedOut }
    return reply
  }

  private func exchange(_ request: HTTPClientRequest) async throws -> PerformerReply {
    try await Self.reply(in: try await client.execute(request, deadline: .distantFuture))
  }

  /// What a response says; throws `PerformerCallError` when it is no reply.
  static func reply(in response: HTTPClientResponse) async throws -> PerformerReply {
    guard response.status == .ok else { throw try await refusal(response) }
    if let fault = HTTPFraming.fault(version: response.version, headers: response.headers) {
      throw PerformerCallError.answeredError(code: 200, message: fault)
    }
    if let length = response.headers.first(name: "Content-Length").flatMap({ Int($0) }), length > ResponseChecks.maxOutputBytes {
      throw PerformerCallError.replyTooLarge
    }
    let (output, isComplete) = try await HTTPBody.beginning(of: response.body, limit: ResponseChecks.maxOutputBytes)
    guard isComplete else { throw PerformerCallError.replyTooLarge }
    let echoedID = response.headers[taskIDHeader].joined(separator: ",")
    return PerformerReply(echoedID: Array(echoedID.utf8), output: Array(output.readableBytesView))
  }

  /// What a status other than 200 means, with the beginning of its body as the message.
  private static func refusal(_ response: HTTPClientResponse) async throws -> PerformerCallError {
    let code = Int(response.status.code)
    let message = try await HTTPBody.text(of: response.body)
    guard PerformerStatus.asksAgain(httpStatus: code) else { return .answeredError(code: code, message: message) }
    let pause = response.headers.first(name: "Retry-After").flatMap(PerformerStatus.retryAfter)
    return .answeredBusy("status \(code): \(message)", retryAfter: pause)
  }

  private func failure(for error: any Error) -> PerformerCallError {
    if let error = error as? PerformerCallError { return error }
    if Task.isCancelled { return .cancelled }
    if isClosed.load(ordering: .relaxed) { return .unreachable("its connection was closed") }
    if error is HTTPParserError { return .unreachable("what it sent is not HTTP, or broke off: \(error)") }
    return .unreachable("\(error)")
  }

  // MARK: Health and end

  package var probe: any Probe { HTTPHealthProbe(client: client, origin: origin, path: healthPath) }

  package func close() async {
    guard !isClosed.exchange(true, ordering: .relaxed) else { return }
    // Fails calls in flight. What it throws is of connections that are gone all the same.
    do { try await client.shutdown() } catch {}
  }
}
