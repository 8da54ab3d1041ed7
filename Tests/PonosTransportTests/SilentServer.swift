import NIOCore
import NIOPosix

/// A server that greets, if that, and says nothing more.
final class SilentServer: Sendable {
  let accepted: Counter
  let port: Int
  private let listener: any Channel

  init(greets: Bool = true) async throws {
    let accepted = Counter()
    self.accepted = accepted
    listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Greeter(accepted, greets: greets))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    port = listener.localAddress?.port ?? 0
  }

  func close() async throws { try await listener.close() }

  private final class Greeter: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let accepted: Counter
    private let greets: Bool

    init(_ accepted: Counter, greets: Bool) {
      self.accepted = accepted
      self.greets = greets
    }

    func channelActive(context: ChannelHandlerContext) {
      accepted.increment()
      guard greets else { return }
      context.writeAndFlush(wrapOutboundOut(RawFrame.bytes(type: 4)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {}
  }
}
