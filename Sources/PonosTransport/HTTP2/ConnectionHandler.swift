import NIOCore
import NIOSSL
import NIOTLS

/// The channel handler of a connection: hands bytes to its HTTP/2 session, and events to the role that knows what they mean.
final class ConnectionHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// Asks a connection to take no more calls and to close when those that are open have ended; fired into the pipeline.
  struct ShutdownRequest: Sendable {}

  /// Asks a connection to let go of what a limit of the process is about; fired into the pipeline.
  struct Eviction: Sendable {
    var limit: TransportLimit

    /// Whether the connection itself has to go, as opposed to messages it holds.
    var endsConnection: Bool { limit == .connections || limit == .connectionsPerHost }
  }

  let link: ConnectionLink
  private let role: any ConnectionRole
  private var failure: (any Error)?
  private var isClosed = false

  init(link: ConnectionLink, role: some ConnectionRole, isServer: Bool, limits: HTTP2Limits) {
    self.link = link
    self.role = role
    link.session = HTTP2Session(isServer: isServer, limits: limits, delegate: self)
  }

  func handlerAdded(context: ChannelHandlerContext) {
    link.attach(context)
  }

  func channelActive(context: ChannelHandlerContext) {
    role.opened(remoteAddress: context.remoteAddress, localAddress: context.localAddress)
    link.open()
    context.fireChannelActive()
  }

  func channelInactive(context: ChannelHandlerContext) {
    close()
    context.fireChannelInactive()
  }

  /// A channel that closes before it was active does not become inactive.
  func handlerRemoved(context: ChannelHandlerContext) {
    close()
  }

  private func close() {
    guard !isClosed else { return }
    isClosed = true
    failure = failure ?? link.session?.failure
    link.detach()
    role.closed(by: failure)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard let session = link.session, session.failure == nil else { return }
    link.readBegan()
    session.receive(unwrapInboundIn(data))
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    link.readCompleted()
    context.fireChannelReadComplete()
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable { link.scheduleFlush() }
    context.fireChannelWritabilityChanged()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event {
    case is ShutdownRequest:
      role.shuttingDown()
      link.beginShutdown()
    case let eviction as Eviction:
      evict(eviction)
    case TLSUserEvent.handshakeCompleted(let negotiated):
      secured(for: negotiated, context: context)
    default:
      context.fireUserInboundEventTriggered(event)
    }
  }

  private func evict(_ eviction: Eviction) {
    switch eviction.limit {
    case .receivedBytes: shed(.received)
    case .unsentBytes: shed(.unsent)
    default: link.sayGoodbye()
    }
  }

  private func shed(_ kind: BufferKind) {
    role.shed(kind)
    link.didShed(kind)
  }

  private func secured(for negotiated: String?, context: ChannelHandlerContext) {
    let pipeline = context.pipeline.syncOperations
    let certificate = (try? pipeline.handler(type: NIOSSLServerHandler.self))?.peerCertificate
    if !role.secured(for: negotiated, peerCertificate: certificate) { context.close(promise: nil) }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    failure = failure ?? error
    context.close(promise: nil)
  }
}

extension ConnectionHandler: HTTP2SessionDelegate {
  func settingsArrived(maxConcurrentStreams: Int?) {
    link.handshakeCompleted()
    role.settingsArrived(maxConcurrentStreams: maxConcurrentStreams)
  }

  func received(_ headers: HeaderFields, endStream: Bool, on stream: StreamID) {
    role.receive(headers, endStream: endStream, on: stream)
  }

  func received(_ payload: ByteBuffer, endStream: Bool, on stream: StreamID) {
    role.receive(payload, endStream: endStream, on: stream)
    link.arrived(payload.readableBytes)
  }

  func pingAcknowledged(_ opaque: UInt64) { link.pingAcknowledged(opaque) }

  func peerIsLeaving(lastStream: StreamID, code: HTTP2ErrorCode) {
    role.peerIsLeaving(lastStream: lastStream, code: code)
  }

  func streamOpened(_ stream: StreamID) { role.streamOpened(stream) }
  func streamEnded(_ stream: StreamID) { role.streamEnded(stream) }
  func streamFailed(_ stream: StreamID) { role.streamFailed(stream) }
  func streamClosed(_ stream: StreamID, fault: CallFault?) { role.streamClosed(stream, fault: fault) }
}
