import NIOCore
import NIOHTTP2
import NIOSSL
import NIOTLS

/// The channel handler of a connection: hands frames and events to the role that knows what they mean.
final class ConnectionHandler: ChannelInboundHandler {
  typealias InboundIn = HTTP2Frame
  typealias OutboundOut = HTTP2Frame

  /// Asks a connection to take no more calls and to close when those that are open have ended; fired into the pipeline.
  struct ShutdownRequest: Sendable {}

  let link: ConnectionLink
  private let role: any ConnectionRole
  private let watcher: FrameWatcher
  private var failure: (any Error)?
  private var isClosed = false

  init(link: ConnectionLink, role: some ConnectionRole, watcher: FrameWatcher) {
    self.link = link
    self.role = role
    self.watcher = watcher
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
    link.detach()
    role.closed(by: failure)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    link.readBegan()
    let frame = unwrapInboundIn(data)
    switch frame.payload {
    case .headers(let headers):
      role.receive(headers, on: frame.streamID)
    case .data(let data):
      guard case .byteBuffer(let bytes) = data.data else { return }
      let padding = data.paddingBytes.map { $0 + 1 } ?? 0
      role.receive(bytes, padding: padding, endStream: data.endStream, on: frame.streamID)
    case .settings(.settings(let settings)):
      link.handshakeCompleted()
      role.settingsArrived(settings)
    case .ping(let data, ack: true):
      link.pingAcknowledged(data)
    case .goAway(let lastStream, let code, _):
      role.peerIsLeaving(lastStream: lastStream, code: code)
    default:
      return
    }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    link.readCompleted()
    context.fireChannelReadComplete()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event {
    case let update as NIOHTTP2WindowUpdatedEvent:
      guard update.streamID == .rootStream, let size = update.inboundWindowSize else { return }
      link.announce(link.budget.windowChanged(to: size))
    case let created as NIOHTTP2StreamCreatedEvent:
      role.streamOpened(created.streamID)
    case let closed as StreamClosedEvent:
      role.streamClosed(closed.streamID, fault: watcher.fault(of: closed))
    case is ShutdownRequest:
      role.shuttingDown()
      link.beginShutdown()
    case TLSUserEvent.handshakeCompleted(let negotiated):
      secured(for: negotiated, context: context)
    default:
      context.fireUserInboundEventTriggered(event)
    }
  }

  private func secured(for negotiated: String?, context: ChannelHandlerContext) {
    let pipeline = context.pipeline.syncOperations
    let certificate = (try? pipeline.handler(type: NIOSSLServerHandler.self))?.peerCertificate
    if !role.secured(for: negotiated, peerCertificate: certificate) { context.close(promise: nil) }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if let error = error as? NIOHTTP2Errors.StreamError {
      role.streamFailed(error.streamID)
    } else if !(error is any NIOHTTP2Error) || watcher.connectionFailed {
      failure = failure ?? error
      context.close(promise: nil)
    }
  }
}
