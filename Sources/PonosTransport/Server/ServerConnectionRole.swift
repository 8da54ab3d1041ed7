import GRPCCore
import NIOCore
import NIOSSL

/// One connection of a server: hands the frames of each stream to its call and starts a task for each new one.
final class ServerConnectionRole: ConnectionRole {
  let link: ConnectionLink

  private let service: ServerCallService
  private let executor: EventLoopTaskExecutor?
  private let handlers: RunningHandlers
  private let clock: ProgressClock
  private var calls: [StreamID: ServerCall] = [:]
  /// Open calls of methods that may have few on one connection.
  private var callsOfMethod: [MethodDescriptor: Int] = [:]
  private var addresses: (remote: SocketAddress?, local: SocketAddress?)
  /// Made for the first call: most connections of a busy server are idle.
  private lazy var peerNames = (remote: addresses.remote.peerName, local: addresses.local.peerName)
  private lazy var address = PeerAddress(addresses.remote)
  private var certificate: NIOSSLCertificate?

  /// - Parameters:
  ///   - executor: runs the handlers; nil leaves them to Swift's pool of threads.
  ///   - finished: succeeds when the connection is closed and its last handler has returned.
  init(
    service: ServerCallService, link: ConnectionLink, executor: EventLoopTaskExecutor?, finished: EventLoopPromise<Void>
  ) {
    self.service = service
    self.link = link
    self.executor = executor
    handlers = RunningHandlers(finished: finished)
    clock = ProgressClock(
      eventLoop: link.eventLoop, requestTime: service.settings.requestTime,
      responseTime: service.settings.responseTime)
    clock.onTick = { [unowned self] in checkProgress() }
    link.onCredit = { [unowned self] stream, credit in calls[stream]?.giveBack(credit) }
    link.onOverflow = { [unowned self] stream in calls[stream]?.end(.tooManyIncompleteMessages) }
  }

  // MARK: Connection

  func opened(remoteAddress: SocketAddress?, localAddress: SocketAddress?) {
    addresses = (remoteAddress, localAddress)
  }

  func secured(for negotiatedProtocol: String?, peerCertificate: NIOSSLCertificate?) -> Bool {
    certificate = peerCertificate
    return negotiatedProtocol == "h2"
  }

  func settingsArrived(maxConcurrentStreams: Int?) {}

  /// Handlers are told, so that those of endless calls can end; the others go on.
  func shuttingDown() {
    handlers.areTold = true
    for call in calls.values { call.serverIsShuttingDown() }
  }

  func shed(_ kind: BufferKind) {
    for call in calls.values { call.shed(kind, limit: link.limit(of: kind)) }
  }

  /// Ends the calls that stand still; returns whether there are any calls.
  private func checkProgress() -> Bool {
    for call in calls.values { call.checkProgress() }
    return !calls.isEmpty
  }

  /// A client that will accept no pushed streams: there are none.
  func peerIsLeaving(lastStream: StreamID, code: HTTP2ErrorCode) {}

  func closed(by failure: (any Error)?) {
    let lost = calls
    calls.removeAll()
    clock.stop()
    for call in lost.values { call.close(RPCError(code: .cancelled, message: "the connection of the call was lost")) }
    handlers.connectionClosed()
  }

  // MARK: Streams

  func receive(_ headers: HeaderFields, endStream: Bool, on stream: StreamID) {
    if let call = calls[stream] {
      call.receiveTrailers()
      return
    }
    guard link.takesCalls, handlers.count < 2 * service.settings.http2.maxConcurrentStreams else {
      link.reset(stream, .refusedStream)
      return
    }
    link.lastPeerStream = max(link.lastPeerStream, stream)
    do throws(ParsedRequest.Refusal) {
      let request = try ParsedRequest(headers, methods: service.methods)
      try checkRoom(for: request.method)
      begin(request, stream: stream, endStream: endStream)
    } catch {
      refuse(stream, because: error)
    }
  }

  private func checkRoom(for method: ServedMethod) throws(ParsedRequest.Refusal) {
    guard let limit = method.maxCallsPerConnection, callsOfMethod[method.descriptor, default: 0] >= limit else { return }
    let text = "this connection has \(limit) calls of \(method.descriptor.fullyQualifiedMethod), and may have no more"
    throw .grpc(CallFault(.resourceExhausted, text, limit: .callsOfMethod))
  }

  private func refuse(_ stream: StreamID, because refusal: ParsedRequest.Refusal) {
    switch refusal {
    case .malformed: link.reset(stream, .protocolError)
    case .http(let status): link.respond(stream, ResponseHeaderEncoder.refusal(httpStatus: status))
    case .grpc(let fault):
      if let limit = fault.limit { link.note(limit) }
      link.respond(stream, ResponseHeaderEncoder.refusal(fault))
    }
  }

  func receive(_ payload: ByteBuffer, endStream: Bool, on stream: StreamID) {
    calls[stream]?.receive(payload, endStream: endStream)
  }

  func streamOpened(_ stream: StreamID) {}

  /// RFC 9113 section 8.1: the rest of the request is of no interest, which does not make the response an error. A reset drops what
  /// still waits for the client's window, so it has to follow the response on the wire.
  func streamEnded(_ stream: StreamID) {
    if link.session?.peerMaySend(on: stream) == true { link.reset(stream, .noError) }
  }

  func streamClosed(_ stream: StreamID, fault: CallFault?) {
    guard let call = calls.removeValue(forKey: stream) else { return }
    if call.method.maxCallsPerConnection != nil { callsOfMethod[call.method.descriptor, default: 1] -= 1 }
    link.callClosed()
    call.close((fault ?? CallFault(.cancelled, "the call is over")).error)
  }

  func streamFailed(_ stream: StreamID) {
    calls[stream]?.end(CallFault(.internalError, "a frame of the response could not be sent"))
  }

  // MARK: Handlers

  private func begin(_ request: ParsedRequest, stream: StreamID, endStream: Bool) {
    guard link.admitsCall() else {
      link.reset(stream, .refusedStream)
      return
    }
    let method = request.method
    let machine = ServerStreamStateMachine(
      maxMessageBytes: method.maxRequestBytes, requestIsGzip: request.requestIsGzip,
      compressesResponse: service.settings.compressesResponses && request.acceptsGzip && method.acceptsCompression,
      endStream: endStream)
    let call = ServerCall(
      id: stream, method: method, machine: machine, maxCompressionRatio: service.settings.maxCompressionRatio, link: link,
      handlers: handlers, clock: clock)
    calls[stream] = call
    if method.maxCallsPerConnection != nil { callsOfMethod[method.descriptor, default: 0] += 1 }
    link.callOpened()
    clock.start()
    start(call, request)
  }

  private func start(_ call: ServerCall, _ request: ParsedRequest) {
    let specifics = CallPeer(
      address: address, certificate: certificate,
      deadline: request.timeout.map { NIODeadline.now() + TimeAmount($0) })
    let (service, names, executor) = (service, peerNames, executor)
    // A call ends with its stream or its handler, whichever is later; its connection keeps count, so that a server that
    // stops can wait for the last of them. No scope could own a task that the network starts.
    call.start(metadata: request.metadata, timeout: request.timeout) { isLarge in
      Task(executorPreference: isLarge ? nil : executor) {
        await service.run(call, remotePeer: names.remote, localPeer: names.local, specifics: specifics)
      }
    }
  }
}
