import NIOCore
import NIOHTTP2
import NIOPosix

/// A performer that speaks gRPC only as far as it has to in order to be given tasks, and then does to the wire what no gRPC library
/// would let it: see ``HostileAnswer``.
package struct HostilePerformer: Sendable {
  /// Name of the place in a connection's pipeline beyond which bytes go out as they are.
  static let wire = "wire"

  package init() {}

  /// Serves on a free port of 127.0.0.1 for as long as `body` runs.
  package func withServer<Result: Sendable>(_ body: @Sendable (_ port: Int) async throws -> Result) async throws -> Result {
    let listener = try await listen(host: "127.0.0.1", port: 0)
    let outcome: Swift.Result<Result, any Error>
    do { outcome = .success(try await body(listener.localAddress?.port ?? 0)) } catch { outcome = .failure(error) }
    try await listener.close()
    return try outcome.get()
  }

  /// Serves on `port` of every address until the process ends.
  package func serve(port: Int) async throws {
    try await listen(host: "0.0.0.0", port: port).closeFuture.get()
  }

  private func listen(host: String, port: Int) async throws -> any Channel {
    try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { connection in
        connection.eventLoop.makeCompletedFuture {
          let pipeline = connection.pipeline.syncOperations
          try pipeline.addHandler(Wire(), name: Self.wire)
          _ = try pipeline.configureHTTP2Pipeline(mode: .server, connectionConfiguration: .init(), streamConfiguration: .init()) {
            call in
            call.eventLoop.makeCompletedFuture { try call.pipeline.syncOperations.addHandler(HostileCallHandler()) }
          }
        }
      }
      .bind(host: host, port: port).get()
  }

  /// Does nothing; its place in the pipeline is what counts.
  private final class Wire: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
  }
}

/// What a ``HostilePerformer`` does with a task, by the word that is its payload. Any other payload is answered as it is.
enum HostileAnswer: String {
  /// Announces a message of 1 GiB and sends it.
  case giant
  /// Sends messages of 1 MiB, a thousand of them, where one is due.
  case swarm
  /// Announces 100,000 bytes and sends one every 20 milliseconds.
  case drip
  /// Writes bytes that are no HTTP/2 into the connection.
  case garbage
  /// Answers properly, but never says that it has ended.
  case unfinished
  /// Ends the answer without a status.
  case noStatus = "no-status"
  /// Answers with a message that is no protobuf.
  case scrambled
}
