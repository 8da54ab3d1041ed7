import NIOCore
import NIOHTTP1
import NIOPosix
import PonosDocker
import Synchronization

/// An HTTP server on a unix socket that answers as a test tells it to, wrongly too: it stands in for a Docker Engine where a real
/// one cannot be made to fail.
///
/// Each connection carries one request. Replies are written byte for byte, so that they may be cut, garbled or never end.
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
    case wait(Duration)
    /// Keeps the connection open until the client leaves.
    case hang
  }

  private let script: @Sendable (Request) -> [Step]
  private let seen = Mutex<[Request]>([])
  /// Path of the socket.
  package let path: String

  private init(path: String, script: @escaping @Sendable (Request) -> [Step]) {
    self.path = path
    self.script = script
  }

  /// Everything asked so far.
  package var requests: [Request] { seen.withLock { $0 } }

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
    let listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true) { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(ByteToMessageHandler(HTTPRequestDecoder()))
          return try NIOAsyncChannel<HTTPServerRequestPart, ByteBuffer>(wrappingChannelSynchronously: channel)
        }
      }
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await server.serve(listener) }
      // Closed rather than cancelled: a connection that was accepted and that nobody takes ends the process.
      defer { listener.channel.close(promise: nil) }
      return try await body(server)
    }
  }

  private func serve(
    _ listener: NIOAsyncChannel<NIOAsyncChannel<HTTPServerRequestPart, ByteBuffer>, Never>
  ) async throws {
    try await withThrowingDiscardingTaskGroup { group in
      try await listener.executeThenClose { connections in
        for try await connection in connections {
          group.addTask {
            // A client that hangs up early is part of the tests, not a failure of the server.
            do { try await self.answer(connection) } catch {}
          }
        }
      }
      group.cancelAll()
    }
  }

  private func answer(_ connection: NIOAsyncChannel<HTTPServerRequestPart, ByteBuffer>) async throws {
    try await connection.executeThenClose { inbound, outbound in
      var parts = inbound.makeAsyncIterator()
      guard let request = try await Self.read(&parts) else { return }
      seen.withLock { $0.append(request) }
      for step in script(request) {
        switch step {
        case .send(let text): try await outbound.write(ByteBuffer(string: text))
        case .wait(let duration): try await Task.sleep(for: duration)
        case .hang: while try await parts.next() != nil {}
        }
      }
    }
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
