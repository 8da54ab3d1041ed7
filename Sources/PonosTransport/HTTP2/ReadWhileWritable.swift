import NIOCore

/// Stops reading from a peer that does not read what it is sent.
///
/// Flow control bounds messages, but a peer can also cause answers that no window covers: header fields, acknowledgements,
/// resets. If it never reads them, they would pile up for as long as it goes on asking. Its place is next to the network, on
/// servers only: two peers that both stopped reading could wait for each other, and clients always read.
final class ReadWhileWritable: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = IOData

  private var owesRead = false

  /// A connection that makes room for another is closed here, next to the network: TLS would wait for the peer to agree.
  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    context.fireUserInboundEventTriggered(event)
    if let eviction = event as? ConnectionHandler.Eviction, eviction.endsConnection { context.close(promise: nil) }
  }

  func read(context: ChannelHandlerContext) {
    if context.channel.isWritable {
      context.read()
    } else {
      owesRead = true
    }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if owesRead, context.channel.isWritable {
      owesRead = false
      context.read()
    }
    context.fireChannelWritabilityChanged()
  }
}
