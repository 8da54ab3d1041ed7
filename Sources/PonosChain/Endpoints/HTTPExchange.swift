import AsyncHTTPClient
import Dispatch
import FoundationEssentials
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import PonosSystem

/// The HTTP connections to all endpoints of a chain; freed with the last reference.
final class HTTPExchange: Sendable {
  /// Largest body that is read, in bytes: a batch of a hundred headers and answers has a tenth of it.
  static let bodyLimit = 2 << 20

  struct Reply: Sendable {
    let status: Int
    let retryAfter: Duration?
    let body: [UInt8]
  }

  private let http: HTTPClient

  /// - Parameter trusted: Certificates of authorities that are trusted besides the system's.
  init(trusting trusted: [NIOSSLCertificate]) {
    var tls = TLSConfiguration.makeClientConfiguration()
    tls.additionalTrustRoots = trusted.isEmpty ? [] : [.certificates(trusted)]
    var configuration = HTTPClient.Configuration(tlsConfiguration: tls)
    configuration.redirectConfiguration = .disallow
    configuration.httpVersion = .http1Only
    configuration.timeout = .init(connect: .seconds(3))
    configuration.decompression = .disabled
    configuration.connectionPool.idleTimeout = .seconds(60)
    // A refused connection is an answer: the next endpoint is asked at once.
    configuration.connectionPool.retryConnectionEstablishment = false
    http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
  }

  deinit {
    http.shutdown(queue: .global()) { _ in }
  }

  /// Sends `body` and reads the whole answer within `limit`. Errors name the exchange `call`.
  func post(_ body: String, to url: EndpointURL, limit: Duration, call: String) async throws(ChainError) -> Reply {
    var request = HTTPClientRequest(url: url.url)
    request.method = .POST
    request.headers.add(name: "Content-Type", value: "application/json")
    if let authorization = url.authorization { request.headers.add(name: "Authorization", value: authorization) }
    request.body = .bytes(ByteBuffer(string: body))
    do {
      if let reply = try await withDeadline(limit, { [request] in try await self.exchange(request, limit: limit) }) {
        return reply
      }
    } catch {
      throw Self.failure(error, at: url, call: call)
    }
    throw ChainError(Task.isCancelled ? .cancelled : .timedOut, endpoint: url.host, call: call)
  }

  private func exchange(_ request: HTTPClientRequest, limit: Duration) async throws -> Reply {
    let response = try await http.execute(request, timeout: TimeAmount(limit))
    let body = try await response.body.collect(upTo: Self.bodyLimit)
    let pause = response.headers.first(name: "Retry-After").flatMap { Int64($0) }
    return Reply(
      status: Int(response.status.code), retryAfter: pause.map { .seconds(min(max($0, 0), 86_400)) },
      body: Array(body.readableBytesView))
  }

  private static func failure(_ error: any Error, at url: EndpointURL, call: String) -> ChainError {
    let code: ChainError.Code =
      switch error {
      case is CancellationError: .cancelled
      case is NIOTooManyBytesError: .tooLarge
      case let error as HTTPParserError where error == .invalidEOFState: .truncated
      case is HTTPParserError: .notRPC
      case let error as HTTPClientError where error == .cancelled: .cancelled
      case let error as HTTPClientError where error == .deadlineExceeded || error == .connectTimeout: .timedOut
      case let error as HTTPClientError where error == .remoteConnectionClosed: .truncated
      default: .unreachable
      }
    return ChainError(Task.isCancelled ? .cancelled : code, endpoint: url.host, call: call, cause: url.redact("\(error)"))
  }
}
