import NIOCore

/// Answers the PINGs of a peer before swift-nio-http2 sees them.
///
/// That library counts PINGs among its control frames and closes a connection after 200 of them in 30 seconds; the transport over it
/// hides the limit. A grpc-go peer measures bandwidth with a PING for nearly every burst of data, so an ordinary stream of small
/// messages runs into it at once.
final class PingAnswerer: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private static let frameHeaderLength = 9
  private static let pingLength = 8

  private var pending = ByteBuffer()
  /// Bytes of the preface, or of a frame already judged, that are still to come.
  private var skip: Int
  private var owesFlush = false

  /// - Parameter isServer: whether the peer is a client, whose bytes begin with the connection preface.
  init(isServer: Bool) {
    skip = isServer ? 24 : 0
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = unwrapInboundIn(data)
    if pending.readableBytes == 0 {
      pending = bytes
    } else {
      pending.discardReadBytes()
      pending.writeBuffer(&bytes)
    }
    while let passed = next(context) { context.fireChannelRead(wrapInboundOut(passed)) }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    if owesFlush { context.flush() }
    owesFlush = false
    context.fireChannelReadComplete()
  }

  /// Bytes for the handlers above; answers the PINGs before them.
  private func next(_ context: ChannelHandlerContext) -> ByteBuffer? {
    while skip == 0 {
      guard
        let lengthAndType = pending.getInteger(at: pending.readerIndex, as: UInt32.self),
        let flags = pending.getInteger(at: pending.readerIndex + 4, as: UInt8.self),
        pending.readableBytes >= Self.frameHeaderLength
      else { return nil }
      guard lengthAndType == UInt32(Self.pingLength) << 8 | 0x06, flags & 1 == 0 else {
        skip = Self.frameHeaderLength + Int(lengthAndType >> 8)
        break
      }
      guard var ping = pending.readSlice(length: Self.frameHeaderLength + Self.pingLength) else { return nil }
      ping.setInteger(UInt8(1), at: ping.readerIndex + 4)
      context.write(wrapOutboundOut(ping), promise: nil)
      owesFlush = true
    }
    let count = min(skip, pending.readableBytes)
    skip -= count
    return count > 0 ? pending.readSlice(length: count) : nil
  }
}
