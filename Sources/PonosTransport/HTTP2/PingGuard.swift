package import NIOCore

/// Answers the PINGs of a peer before the HTTP/2 implementation sees them, and ends connections that flood us with them, with
/// RST_STREAM ("rapid reset") or other control frames.
///
/// swift-nio-http2 counts PINGs among its control frames and closes a connection after 200 of them in 30 seconds. A grpc-go
/// peer measures bandwidth with a PING for nearly every burst of data, so an ordinary stream of small messages runs into that
/// limit at once. This handler keeps the PINGs away from the counter and holds them against a limit that ordinary peers cannot
/// reach (``RateBudget``). The other frames it only counts: that library keeps the time of each, which takes kilobytes of every
/// connection. Its place is next to the network, or next to the TLS handler when there is one.
package final class PingGuard: ChannelDuplexHandler, RemovableChannelHandler {
  package typealias InboundIn = ByteBuffer
  package typealias InboundOut = ByteBuffer
  package typealias OutboundIn = IOData
  package typealias OutboundOut = IOData

  private var scanner: PingScanner
  private var pings: RateBudget
  private var resets: RateBudget?
  private var control: RateBudget
  private var owesFlush = false
  private var isClosing = false

  /// - Parameters:
  ///   - isServer: whether the peer is a client, whose bytes begin with the connection preface.
  ///   - pings: how many PINGs the peer may send.
  ///   - resets: how many streams the peer may reset; nil leaves that to the HTTP/2 implementation.
  ///   - control: how many other control frames the peer may send.
  ///   - maxPayload: the largest payload of a frame, and of a header block, that the HTTP/2 implementation takes.
  package init(
    isServer: Bool, pings: RateBudget = .pings, resets: RateBudget? = nil, control: RateBudget = .control,
    maxPayload: Int = 1 << 14
  ) {
    scanner = PingScanner(ofClientBytes: isServer, maxPayload: maxPayload)
    self.pings = pings
    self.resets = resets
    self.control = control
  }

  package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !isClosing else { return }
    scanner.append(unwrapInboundIn(data))
    while !isClosing, let finding = scanner.next() {
      switch finding {
      case .pass(let bytes):
        guard affords(scanner.takeCounts()) else { return end(context, reason: "too many control frames") }
        context.fireChannelRead(wrapInboundOut(bytes))
        // The implementation above has said so by now; nothing that follows would be counted.
        if scanner.isHopeless { return end(context, reason: "a frame or header block that is too large") }
      case .ping(let opaque):
        answer(opaque, context: context)
      }
    }
  }

  package func channelReadComplete(context: ChannelHandlerContext) {
    if owesFlush {
      owesFlush = false
      context.flush()
    }
    context.fireChannelReadComplete()
  }

  package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    pings.earn()
    context.write(data, promise: promise)
  }

  private func answer(_ opaque: UInt64, context: ChannelHandlerContext) {
    // The words gRPC peers know.
    guard pings.spend(at: .now()) else { return end(context, reason: "too_many_pings") }
    context.write(wrapOutboundOut(.byteBuffer(.acknowledgement(of: opaque))), promise: nil)
    owesFlush = true
  }

  private func affords(_ counts: PingScanner.Counts) -> Bool {
    guard counts.resets > 0 || counts.control > 0 else { return true }
    let now = NIODeadline.now()
    return control.spend(counts.control, at: now) && resets?.spend(counts.resets, at: now) != false
  }

  private func end(_ context: ChannelHandlerContext, reason: String) {
    isClosing = true
    context.writeAndFlush(wrapOutboundOut(.byteBuffer(.calmDown(reason))), promise: nil)
    context.close(promise: nil)
  }
}

extension ByteBuffer {
  /// A PING frame with the ACK flag (RFC 9113 section 6.7).
  fileprivate static func acknowledgement(of opaque: UInt64) -> ByteBuffer {
    var frame = ByteBuffer()
    frame.reserveCapacity(PingScanner.frameHeaderLength + PingScanner.pingLength)
    frame.writeInteger(UInt32(PingScanner.pingLength) << 8 | UInt32(PingScanner.pingType))
    frame.writeInteger(PingScanner.acknowledgement)
    frame.writeInteger(UInt32(0))
    frame.writeInteger(opaque)
    return frame
  }

  /// A GOAWAY frame with ENHANCE_YOUR_CALM and a text for whoever looks into it (RFC 9113 section 6.8).
  fileprivate static func calmDown(_ reason: String) -> ByteBuffer {
    var frame = ByteBuffer()
    frame.writeInteger(UInt32(8 + reason.utf8.count) << 8 | 0x07)
    frame.writeInteger(UInt8(0))
    frame.writeInteger(UInt32(0))
    frame.writeInteger(UInt32(0))
    frame.writeInteger(UInt32(0x0b))
    frame.writeString(reason)
    return frame
  }
}
