package import NIOCore

/// Answers the PINGs of a peer before the HTTP/2 implementation sees them, and ends connections that flood us with them.
///
/// swift-nio-http2 counts PINGs among its control frames and closes a connection after 200 of them in 30 seconds. A grpc-go
/// peer measures bandwidth with a PING for nearly every burst of data, so an ordinary stream of small messages runs into that
/// limit at once. This handler keeps the PINGs away from the counter and holds them against a limit that ordinary peers cannot
/// reach (``PingBudget``). Its place is next to the network, or next to the TLS handler when there is one.
package final class PingGuard: ChannelDuplexHandler, RemovableChannelHandler {
  package typealias InboundIn = ByteBuffer
  package typealias InboundOut = ByteBuffer
  package typealias OutboundIn = IOData
  package typealias OutboundOut = IOData

  private var scanner: PingScanner
  private var budget: PingBudget
  private var owesFlush = false
  private var isClosing = false

  /// - Parameters:
  ///   - isServer: whether the peer is a client, whose bytes begin with the connection preface.
  ///   - budget: how many PINGs the peer may send.
  ///   - maxPayload: the largest payload of a frame, and of a header block, that the HTTP/2 implementation takes.
  package init(isServer: Bool, budget: PingBudget = PingBudget(), maxPayload: Int = 1 << 14) {
    scanner = PingScanner(ofClientBytes: isServer, maxPayload: maxPayload)
    self.budget = budget
  }

  package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !isClosing else { return }
    scanner.append(unwrapInboundIn(data))
    while !isClosing, let finding = scanner.next() {
      switch finding {
      case .pass(let bytes):
        context.fireChannelRead(wrapInboundOut(bytes))
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
    budget.earn()
    context.write(data, promise: promise)
  }

  private func answer(_ opaque: UInt64, context: ChannelHandlerContext) {
    guard budget.spend(at: .now()) else {
      isClosing = true
      context.writeAndFlush(wrapOutboundOut(.byteBuffer(.calmDown)), promise: nil)
      context.close(promise: nil)
      return
    }
    context.write(wrapOutboundOut(.byteBuffer(.acknowledgement(of: opaque))), promise: nil)
    owesFlush = true
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

  /// A GOAWAY frame with ENHANCE_YOUR_CALM and the debug text gRPC peers know (RFC 9113 section 6.8).
  fileprivate static var calmDown: ByteBuffer {
    let reason = "too_many_pings"
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
