import NIOCore
import NIOPosix
import Synchronization

/// A peer that accepts connections, sends the settings every HTTP/2 connection begins with, and never says anything again.
package final class SilentHTTP2Peer: Sendable {
  private let accepted = Mutex(0)
  private let left = Mutex(0)

  private init() {}

  /// Connections so far.
  package var connections: Int { accepted.withLock(\.self) }

  /// Connections that the other end has closed.
  package var departures: Int { left.withLock(\.self) }

  /// Runs `body` while the peer listens on loopback, on the port that `body` is given.
  package static func serve<Result: Sendable>(
    _ body: (SilentHTTP2Peer, Int) async throws -> Result
  ) async throws -> Result {
    let peer = SilentHTTP2Peer()
    let server = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Handler(peer: peer)) }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    do {
      let result = try await body(peer, server.localAddress?.port ?? 0)
      try await server.close()
      return result
    } catch {
      try await server.close()
      throw error
    }
  }

  private final class Handler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let peer: SilentHTTP2Peer

    init(peer: SilentHTTP2Peer) {
      self.peer = peer
    }

    func channelActive(context: ChannelHandlerContext) {
      peer.accepted.withLock { $0 += 1 }
      // An empty frame of type SETTINGS.
      context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: [0, 0, 0, 4, 0, 0, 0, 0, 0])), promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
      peer.left.withLock { $0 += 1 }
    }
  }
}
