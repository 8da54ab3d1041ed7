import NIOCore

/// Lets a listener rest when the system has no file or memory left for one more connection.
///
/// The connection that waits would be reported again at once, for ever: swift-nio goes on asking for it (and its
/// `AcceptBackoffHandler`, which holds back reads, is not asked for one after an error). Not reading at all for a while ends that.
final class AcceptPause: ChannelInboundHandler {
  typealias InboundIn = any Channel

  static let duration = TimeAmount.milliseconds(250)

  private var isPausing = false

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // Others close the listener.
    guard error is IOError, !isPausing else { return }
    isPausing = true
    let listener = context.channel
    listener.setOption(.autoRead, value: false).assumeIsolated().whenComplete { _ in
      context.eventLoop.assumeIsolated().scheduleTask(in: Self.duration) {
        self.isPausing = false
        // A listener that has closed in the meantime has nothing to read.
        _ = listener.setOption(.autoRead, value: true)
      }
    }
  }
}
