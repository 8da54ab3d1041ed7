import GRPCCore
import NIOCore
import NIOHTTP2
import NIOTLS
import Synchronization

/// One connection of a client: opens a stream for each call and hands it the frames that come back.
final class ClientConnectionHandler: ChannelInboundHandler, @unchecked Sendable {
  typealias InboundIn = HTTP2Frame
  typealias OutboundOut = HTTP2Frame

  /// Asks a connection to close when its calls have ended; fired into the pipeline.
  struct ShutdownRequest: Sendable {}

  let eventLoop: any EventLoop
  let headers: RequestHeaders
  private let draining = Atomic(false)
  /// Whether the connection takes no more calls; the only state other threads may ask for.
  var isDraining: Bool { draining.load(ordering: .acquiring) }

  // Event loop only.
  let link: ConnectionLink
  private let watcher: FrameWatcher
  private let ready: EventLoopPromise<Void>
  private var calls: [HTTP2StreamID: ClientCall] = [:]
  private var callsHoldingPayload: [ClientCall] = []
  private var nextStream = 1
  private var failure: (any Error)?
  private var drainingNotice: (@Sendable () -> Void)?

  /// - Parameter ready: succeeds when the server's SETTINGS have arrived, which is also the end of the TLS handshake.
  init(headers: RequestHeaders, link: ConnectionLink, watcher: FrameWatcher, ready: EventLoopPromise<Void>) {
    eventLoop = link.eventLoop
    self.headers = headers
    self.link = link
    self.watcher = watcher
    self.ready = ready
  }

  func handlerAdded(context: ChannelHandlerContext) {
    link.attach(context)
    link.beforeFlush = { self.sendHeldPayloads() }
    link.onDraining = { self.noticeDraining() }
  }

  func channelActive(context: ChannelHandlerContext) {
    link.open()
    context.fireChannelActive()
  }

  func channelInactive(context: ChannelHandlerContext) {
    link.detach()
    noticeDraining()
    callsHoldingPayload.removeAll()
    let lost = calls
    calls.removeAll()
    let cause = failure.map { ": \($0)" } ?? ""
    for call in lost.values { call.close(CallFault(.unavailable, "the connection to the server was lost\(cause)")) }
    ready.fail(failure ?? ChannelError.ioOnClosedChannel)
    context.fireChannelInactive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    link.readBegan()
    let frame = unwrapInboundIn(data)
    switch frame.payload {
    case .headers(let headers):
      calls[frame.streamID]?.receive(headers)
    case .data(let payload):
      guard case .byteBuffer(let bytes) = payload.data else { return }
      let padding = payload.paddingBytes.map { $0 + 1 } ?? 0
      calls[frame.streamID]?.receive(bytes, padding: padding, endStream: payload.endStream)
    case .settings:
      link.handshakeCompleted()
      ready.succeed()
    case .ping(let data, ack: true):
      link.pingAcknowledged(data)
    case .goAway(let lastStream, _, _):
      serverIsLeaving(lastStream: lastStream)
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
    case let closed as StreamClosedEvent:
      streamClosed(closed.streamID, reason: closed.reason)
    case is ShutdownRequest:
      link.beginShutdown()
    case TLSUserEvent.handshakeCompleted(let negotiated):
      guard negotiated != "h2" else { return }
      failure = CallFault(.unavailable, "the server does not speak HTTP/2 over TLS (ALPN)")
      context.close(promise: nil)
    default:
      context.fireUserInboundEventTriggered(event)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if let error = error as? NIOHTTP2Errors.StreamError {
      calls[error.streamID]?.fail(CallFault(.internalError, "a frame of the request could not be sent"))
    } else if !(error is any NIOHTTP2Error) || watcher.connectionFailed {
      failure = error
      context.close(promise: nil)
    }
  }

  // MARK: Pool

  /// Calls `notice` once when the connection takes no more calls.
  func onDraining(_ notice: @escaping @Sendable () -> Void) {
    eventLoop.execute {
      self.drainingNotice = notice
      self.noticeDraining()
    }
  }

  /// Whether the connection was closed by its own idle limit, as opposed to the peer or an error.
  func closedForIdleness() async throws -> Bool {
    try await eventLoop.submit { self.link.lifecycle.isIdleShutdown }.get()
  }

  private func noticeDraining() {
    guard !link.isAttached || link.lifecycle.isDraining else { return }
    draining.store(true, ordering: .releasing)
    guard let notice = drainingNotice else { return }
    drainingNotice = nil
    notice()
  }

  // MARK: Calls

  /// A stream for `call`, or nil when the connection takes no more.
  func openStream(for call: ClientCall) -> HTTP2StreamID? {
    guard link.isAttached, link.lifecycle.takesCalls, nextStream < Int(Int32.max) else { return nil }
    let stream = HTTP2StreamID(nextStream)
    nextStream += 2
    calls[stream] = call
    link.callOpened()
    return stream
  }

  /// Resets a stream and forgets its call.
  func reset(_ stream: HTTP2StreamID, _ code: HTTP2ErrorCode) {
    guard forget(stream) != nil else { return }
    link.write(stream, .rstStream(code))
  }

  /// Remembers to send what `call` holds back before the next flush.
  func holdsPayload(_ call: ClientCall) {
    callsHoldingPayload.append(call)
    link.scheduleFlush()
  }

  private func sendHeldPayloads() {
    guard !callsHoldingPayload.isEmpty else { return }
    let holding = callsHoldingPayload
    callsHoldingPayload.removeAll(keepingCapacity: true)
    for call in holding { call.sendHeldPayload() }
  }

  private func streamClosed(_ stream: HTTP2StreamID, reason: HTTP2ErrorCode?) {
    guard let call = forget(stream) else { return }
    call.close(
      reason.map(StatusMapping.fault(forReset:)) ?? CallFault(.internalError, "the server ended the call without a status"))
  }

  /// GOAWAY: calls the server has not taken are over, those it has taken go on.
  private func serverIsLeaving(lastStream: HTTP2StreamID) {
    for stream in calls.keys where stream > lastStream {
      forget(stream)?.close(CallFault(.unavailable, "the server was shutting down and did not take the call"))
    }
    link.peerIsLeaving()
  }

  @discardableResult
  private func forget(_ stream: HTTP2StreamID) -> ClientCall? {
    guard let call = calls.removeValue(forKey: stream) else { return nil }
    link.callClosed()
    return call
  }
}
