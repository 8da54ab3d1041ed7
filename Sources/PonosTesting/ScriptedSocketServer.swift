import NIOCore
import NIOHTTP1
import NIOPosix
import PonosDocker
import Synchronization

/// An HTTP server that answers as a test tells it to, wrongly too: on a unix socket it stands in for a Docker Engine where a real one
/// cannot be made to fail, on a port of loopback for a performer.
///
/// Each connection carries one request, unless a script goes on with `next`. Replies are written byte for byte, so that they may be
/// cut, garbled or never end.
package final class ScriptedSocketServer: Sendable {
  /// What a client asked for.
  package struct Request: Sendable {
    package let method: String
    /// Path and query without the API version in front.
    package let target: String
    /// The API version in the path, for example `1.41`; nil when there was none.
    package let version: String?
    fileprivate let headers: HTTPHeaders
    package let body: ByteBuffer

    /// The values of the header `name`.
    package func header(_ name: String) -> [String] { headers[name] }

    /// `target` without the query.
    package var path: String { String(target.prefix { $0 != "?" }) }
  }

  /// What the server does in answer.
  package enum Step: Sendable {
    case send(String)
    /// Sends the text so many times, as fast as the client reads it.
    case repeated(String, times: Int)
    case wait(Duration)
    /// Keeps the connection open until the client leaves.
    case hang
    /// Answers the next request over the same connection.
    case next
  }

  private let script: @Sendable (Request) -> [Step]
  private let seen = Mutex<[Request]>([])
  private let figures = Mutex((connections: 0, departures: 0, bytesSent: 0))
  /// Path of the socket; empty for a server on loopback.
  package let path: String

  private init(path: String, script: @escaping @Sendable (Request) -> [Step]) {
    self.path = path
    self.script = script
  }

  /// Everything asked so far.
  package var requests: [Request] { seen.withLock { $0 } }

  /// Connections that brought a request.
  package var connectionCount: Int { figures.withLock { $0.connections } }

  /// Clients that left while a script hung.
  package var departureCount: Int { figures.withLock { $0.departures } }

  /// Bytes that were given to the system to send.
  package var bytesSent: Int { figures.withLock { $0.bytesSent } }

  /// A client of this server.
  package func client(callLimit: Duration = .seconds(2), replyLimit: Int = 1 << 20) -> DockerClient {
    DockerClient(endpoint: .unixSocket(path), callLimit: callLimit, replyLimit: replyLimit)
  }

  /// Runs a server that answers by `script` for as long as `body` runs.
  package static func run<Value: Sendable>(
    script: @escaping @Sendable (Request) -> [Step], _ body: @Sendable (ScriptedSocketServer) async throws -> Value
  ) async throws -> Value {
    let path = "/tmp/ponos-scripted-\(UInt64.random(in: 0 ... .max)).sock"
    let server = ScriptedSocketServer(path: path, script: script)
    let listener = try await bootstrap.bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true) { Self.prepare($0) }
    return try await server.serving(listener) { try await body(server) }
  }

  /// The same on a free port of 127.0.0.1.
  package static func runOnLoopback<Value: Sendable>(
    script: @escaping @Sendable (Request) -> [Step],
    _ body: @Sendable (_ server: ScriptedSocketServer, _ port: Int) async throws -> Value
  ) async throws -> Value {
    let server = ScriptedSocketServer(path: "", script: script)
    let listener = try await bootstrap.bind(host: "127.0.0.1", port: 0) { Self.prepare($0) }
    let port = listener.channel.localAddress?.port ?? 0
    return try await server.serving(listener) { try await body(server, port) }
  }

  /// The same on `port` of every address, until the process ends.
  package static func serve(port: Int, script: @escaping @Sendable (Request) -> [Step]) async throws {
    let listener = try await bootstrap.bind(host: "0.0.0.0", port: port) { Self.prepare($0) }
    try await ScriptedSocketServer(path: "", script: script).serve(listener)
  }

  private typealias Connection = NIOAsyncChannel<HTTPServerRequestPart, ByteBuffer>

  /// A connection is read once somebody has taken it. Until then it is a bare channel: a `NIOAsyncChannel` that was accepted while the
  /// server stopped, and that nobody took, would end the process.
  private static var bootstrap: ServerBootstrap {
    ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup).childChannelOption(.autoRead, value: false)
  }

  private static func prepare(_ channel: any Channel) -> EventLoopFuture<any Channel> {
    channel.eventLoop.makeCompletedFuture {
      try channel.pipeline.syncOperations.addHandler(ByteToMessageHandler(HTTPRequestDecoder()))
      return channel
    }
  }

  private static func open(_ channel: any Channel) async throws -> Connection {
    let connection = try await channel.eventLoop.submit { try Connection(wrappingChannelSynchronously: channel) }.get()
    channel.setOption(.autoRead, value: true).whenFailure { _ in channel.close(promise: nil) }
    return connection
  }

  private func serving<Value: Sendable>(
    _ listener: NIOAsyncChannel<any Channel, Never>, _ body: @Sendable () async throws -> Value
  ) async throws -> Value {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await self.serve(listener) }
      defer { listener.channel.close(promise: nil) }
      return try await body()
    }
  }

  private func serve(_ listener: NIOAsyncChannel<any Channel, Never>) async throws {
    try await withThrowingDiscardingTaskGroup { group in
      try await listener.executeThenClose { connections in
        for try await channel in connections {
          group.addTask {
            // A client that hangs up early is part of the tests, not a failure of the server.
            do { try await self.answer(try await Self.open(channel)) } catch { channel.close(promise: nil) }
          }
        }
      }
      group.cancelAll()
    }
  }

  private func answer(_ connection: Connection) async throws {
    try await connection.executeThenClose { inbound, outbound in
      var parts = inbound.makeAsyncIterator()
      var isFirst = true
      while let request = try await Self.read(&parts) {
        seen.withLock { $0.append(request) }
        if isFirst { figures.withLock { $0.connections += 1 } }
        isFirst = false
        guard try await play(script(request), &parts, outbound) else { return }
      }
    }
  }

  /// Returns whether another request may follow.
  private func play(
    _ steps: [Step], _ parts: inout NIOAsyncChannelInboundStream<HTTPServerRequestPart>.AsyncIterator,
    _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
  ) async throws -> Bool {
    for step in steps {
      switch step {
      case .send(let text): try await send(ByteBuffer(string: text), outbound)
      case .repeated(let text, let times):
        let piece = ByteBuffer(string: text)
        for _ in 0..<times { try await send(piece, outbound) }
      case .wait(let duration): try await Task.sleep(for: duration)
      case .hang:
        // Ends with the connection, by an error or without.
        do { while try await parts.next() != nil {} } catch {}
        figures.withLock { $0.departures += 1 }
      case .next: return true
      }
    }
    return false
  }

  private func send(_ piece: ByteBuffer, _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>) async throws {
    try await outbound.write(piece)
    figures.withLock { $0.bytesSent += piece.readableBytes }
  }

  private static func read(
    _ parts: inout NIOAsyncChannelInboundStream<HTTPServerRequestPart>.AsyncIterator
  ) async throws -> Request? {
    var head: HTTPRequestHead?
    var body = ByteBuffer()
    while let part = try await parts.next() {
      switch part {
      case .head(let received): head = received
      case .body(let bytes): body.writeImmutableBuffer(bytes)
      case .end:
        guard let head else { return nil }
        var target = head.uri
        var version: String?
        if target.hasPrefix("/v1."), let slash = target.dropFirst().firstIndex(of: "/") {
          version = String(target[target.index(target.startIndex, offsetBy: 2)..<slash])
          target = String(target[slash...])
        }
        return Request(
          method: head.method.rawValue, target: target, version: version, headers: head.headers, body: body)
      }
    }
    return nil
  }
}

extension [ScriptedSocketServer.Step] {
  /// A complete answer.
  package static func reply(_ status: Int, _ body: String, headers: String = "") -> Self {
    [
      .send(
        "HTTP/1.1 \(status) Scripted\r\nContent-Type: application/json\r\n\(headers)"
          + "Content-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)")
    ]
  }

  /// A chunked answer of status 200 with one chunk for each of `pieces`, ended properly if `isComplete` is set.
  package static func stream(_ pieces: [String], isComplete: Bool = true) -> Self {
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    let chunks = pieces.map { Step.send("\(String($0.utf8.count, radix: 16))\r\n\($0)\r\n") }
    return [.send(head)] + chunks + (isComplete ? [.send("0\r\n\r\n")] : [])
  }

  private typealias Step = ScriptedSocketServer.Step

  /// The answer of an engine that speaks the API versions `oldest` to `newest`.
  package static func version(oldest: String = "1.12", newest: String = "1.41") -> Self {
    reply(200, #"{"Version":"20.10.24","ApiVersion":"\#(newest)","MinAPIVersion":"\#(oldest)","Os":"linux"}"#)
  }
}
