import GRPCCore
import NIOCore
import NIOSSL

/// One connection of a server: hands the frames of each stream to its call and starts a task for each new one.
final class ServerConnectionRole: ConnectionRole {
  let link: ConnectionLink

  private let service: ServerCallService
  private let executor: EventLoopTaskExecutor?
  private let handlers: RunningHandlers
  private var calls: [StreamID: ServerCall] = [:]
  private var addresses: (remote: SocketAddress?, local: SocketAddress?)
  /// Made for the first call: most connections of a busy server are idle.
  private lazy var peerNames = (remote: addresses.remote.peerName, local: addresses.local.peerName)
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

  /// A client that will accept no pushed streams: there are none.
  func peerIsLeaving(lastStream: StreamID, code: HTTP2ErrorCode) {}

  func closed(by failure: (any Error)?) {
    let lost = calls
    calls.removeAll()
    for call in lost.values { call.close(RPCError(code: .cancelled, message: "the connection of the call was lost")) }
    handlers.connectionClosed()
  }

  // MARK: Streams

  func receive(_ headers: HeaderFields, endStream: Bool, on stream: StreamID) {
    if let call = calls[stream] {
      call.receiveTrailers()
      return
    }
    guard link.takesCalls, handlers.count < 2 * service.http2.maxConcurrentStreams else {
      link.reset(stream, .refusedStream)
      return
    }
    link.lastPeerStream = max(link.lastPeerStream, stream)
    do throws(ParsedRequest.Refusal) {
      begin(try ParsedRequest(headers, methods: service.methods), stream: stream, endStream: endStream)
    } catch {
      refuse(stream, because: error)
    }
  }

  private func refuse(_ stream: StreamID, because refusal: ParsedRequest.Refusal) {
    switch refusal {
    case .malformed: link.reset(stream, .protocolError)
    case .http(let status): link.respond(stream, ResponseHeaderEncoder.refusal(httpStatus: status))
    case .grpc(let fault): link.respond(stream, ResponseHeaderEncoder.refusal(fault))
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
    link.callClosed()
    call.close((fault ?? CallFault(.cancelled, "the call is over")).error)
  }

  func streamFailed(_ stream: StreamID) {
    calls[stream]?.end(CallFault(.internalError, "a frame of the response could not be sent"))
  }

  // MARK: Handlers

  private func begin(_ head: ParsedRequest, stream: StreamID, endStream: Bool) {
    let machine = ServerStreamStateMachine(
      maxMessageBytes: service.maxRequestBytes, requestIsGzip: head.requestIsGzip,
      compressesResponse: service.compressesResponses && head.acceptsGzip, endStream: endStream)
    let call = ServerCall(
      id: stream, descriptor: head.descriptor, machine: machine, link: link, handlers: handlers)
    calls[stream] = call
    handlers.began()
    link.callOpened()
    let specifics = CallPeer(certificate: certificate, deadline: head.timeout.map { NIODeadline.now() + TimeAmount($0) })
    let (service, names) = (service, peerNames)
    // A call ends with its stream or its handler, whichever is later; its connection keeps count, so that a server that
    // stops can wait for the last of them. No scope could own a task that the network starts.
    let task = Task(executorPreference: executor) {
      await service.run(call, remotePeer: names.remote, localPeer: names.local, specifics: specifics)
    }
    call.start(metadata: head.metadata, timeout: head.timeout, task: task)
  }
}
