import NIOCore

/// Tells a client that its connection will soon take no more calls, while those already on their way are still taken.
///
/// That is a GOAWAY with the highest stream identifier (RFC 9113 section 6.8). It is written below swift-nio-http2, which would
/// refuse streams from its first GOAWAY on, whatever identifier that carries, and which takes the messages of a stream it has
/// refused for an error of the whole connection. So a client whose call crosses the announcement would lose all its calls.
final class ShutdownAnnouncer: ChannelOutboundHandler {
  typealias OutboundIn = IOData
  typealias OutboundOut = IOData

  /// Asks for the announcement; triggered as an outbound event.
  struct Announcement: Sendable {}

  func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
    if event is Announcement {
      context.write(wrapOutboundOut(.byteBuffer(Self.goAway)), promise: promise)
    } else {
      context.triggerUserOutboundEvent(event, promise: promise)
    }
  }

  private static var goAway: ByteBuffer {
    var frame = ByteBuffer()
    frame.writeInteger(UInt32(8) << 8 | 0x07)
    frame.writeInteger(UInt8(0))
    frame.writeInteger(UInt32(0))
    frame.writeInteger(UInt32(Int32.max))
    frame.writeInteger(UInt32(0))
    return frame
  }
}
