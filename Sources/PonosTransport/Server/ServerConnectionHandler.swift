import GRPCCore
import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOSSL
import NIOTLS

/// One connection of a server: hands the frames of each stream to its call and starts a task for each new one.
final class ServerConnectionHandler: ChannelInboundHandler {
  typealias InboundIn = HTTP2Frame
  typealias OutboundOut = HTTP2Frame

  /// Asks a connection to stop taking calls; fired into the pipeline.
  struct ShutdownRequest: Sendable {}

  let link: ConnectionLink
  var eventLoop: any EventLoop { link.eventLoop }

  private let service: ServerCallService
  private let watcher: FrameWatcher
  private let executor: EventLoopTaskExecutor?
  private let finished: EventLoopPromise<Void>
  private var calls: [HTTP2StreamID: ServerCall] = [:]
  private var runningHandlers = 0
  private var peer = Peer()

  private struct Peer {
    var remote = ""
    var local = ""
    var certificate: NIOSSLCertificate?
  }

  /// - Parameters:
  ///   - executor: runs the handlers; nil leaves them to Swift's pool of threads.
  ///   - finished: succeeds when the connection is closed and its last handler has returned.
  init(
    service: ServerCallService, link: ConnectionLink, watcher: FrameWatcher, executor: EventLoopTaskExecutor?,
    finished: EventLoopPromise<Void>
  ) {
    self.service = service
    self.link = link
    self.watcher = watcher
    self.executor = executor
    self.finished = finished
  }

  func handlerAdded(context: ChannelHandlerContext) {
    link.attach(context)
  }

  func channelActive(context: ChannelHandlerContext) {
    peer.remote = context.remoteAddress.peerName
    peer.local = context.localAddress.peerName
    link.open()
    context.fireChannelActive()
  }

  func channelInactive(context: ChannelHandlerContext) {
    link.detach()
    let lost = calls
    calls.removeAll()
    for call in lost.values { call.close(RPCError(code: .cancelled, message: "the connection of the call was lost")) }
    finishIfDone()
    context.fireChannelInactive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    link.readBegan()
    let frame = unwrapInboundIn(data)
    switch frame.payload {
    case .headers(let headers):
      receiveHeaders(headers, stream: frame.streamID)
    case .data(let payload):
      guard case .byteBuffer(let bytes) = payload.data else { return }
      let padding = payload.paddingBytes.map { $0 + 1 } ?? 0
      calls[frame.streamID]?.receive(bytes, padding: padding, endStream: payload.endStream)
    case .settings:
      link.handshakeCompleted()
    case .ping(let data, ack: true):
      link.pingAcknowledged(data)
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
      handshakeCompleted(negotiated, context: context)
    default:
      context.fireUserInboundEventTriggered(event)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if let error = error as? NIOHTTP2Errors.StreamError {
      calls[error.streamID]?.end(CallFault(.internalError, "a frame of the response could not be sent"))
    } else if !(error is any NIOHTTP2Error) || watcher.connectionFailed {
      context.close(promise: nil)
    }
  }

  private func handshakeCompleted(_ negotiated: String?, context: ChannelHandlerContext) {
    guard negotiated == "h2" else {
      context.close(promise: nil)
      return
    }
    if let tls = try? context.pipeline.syncOperations.handler(type: NIOSSLServerHandler.self) {
      peer.certificate = tls.peerCertificate
    }
  }

  // MARK: Calls

  private func receiveHeaders(_ headers: HTTP2Frame.FramePayload.Headers, stream: HTTP2StreamID) {
    if let call = calls[stream] {
      call.receiveTrailers()
      return
    }
    guard link.lifecycle.takesCalls else {
      link.write(stream, .rstStream(.refusedStream))
      return
    }
    link.lastPeerStream = max(link.lastPeerStream, stream)
    do throws(RequestHead.Refusal) {
      begin(try RequestHead(headers.headers, methods: service.methods), stream: stream, endStream: headers.endStream)
    } catch {
      link.write(stream, .headers(.init(headers: ResponseHeaders.refusal(error), endStream: true)))
      if !headers.endStream { link.write(stream, .rstStream(.noError)) }
    }
  }

  private func begin(_ head: RequestHead, stream: HTTP2StreamID, endStream: Bool) {
    let machine = ServerStreamStateMachine(
      maxMessageBytes: service.maxRequestBytes, requestIsGzip: head.requestIsGzip,
      compressesResponse: service.compressesResponses && head.acceptsGzip, endStream: endStream)
    let call = ServerCall(
      id: stream, descriptor: head.descriptor, machine: machine,
      window: ReceiveWindow(size: service.http2.windowSize), connection: self)
    calls[stream] = call
    runningHandlers += 1
    link.callOpened()
    let specifics = CallPeer(
      certificate: peer.certificate, deadline: head.timeout.map { NIODeadline.now() + TimeAmount($0) })
    let (service, remote, local) = (service, peer.remote, peer.local)
    // A call ends with its stream or its handler, whichever is later; its connection keeps count, so that a server that
    // stops can wait for the last of them. No scope could own a task that the network starts.
    let task = Task(executorPreference: executor) {
      await service.run(call, remotePeer: remote, localPeer: local, specifics: specifics)
    }
    call.start(metadata: head.metadata, timeout: head.timeout, task: task)
  }

  private func streamClosed(_ stream: HTTP2StreamID, reason: HTTP2ErrorCode?) {
    guard let call = calls.removeValue(forKey: stream) else { return }
    let fault = reason.map(StatusMapping.fault(forReset:)) ?? CallFault(.cancelled, "the call is over")
    call.close(fault.error)
    link.callClosed()
  }

  /// A handler has returned.
  func handlerReturned() {
    runningHandlers -= 1
    finishIfDone()
  }

  private func finishIfDone() {
    if !link.isAttached, runningHandlers == 0 { finished.succeed() }
  }
}
