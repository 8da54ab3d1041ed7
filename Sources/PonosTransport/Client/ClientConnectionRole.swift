import GRPCCore
import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOSSL
import Synchronization

/// One connection of a client: opens a stream for each call and hands it the frames that come back.
///
/// All state belongs to the event loop of the connection.
final class ClientConnectionRole: ConnectionRole, @unchecked Sendable {
  let link: ConnectionLink

  /// Calls the server lets the connection carry at once; read from any thread. swift-nio-http2 opens 100 streams at a server that
  /// names no limit.
  let callLimit = Atomic(100)

  private let headers: RequestHeaders
  private var headersByMethod: [MethodDescriptor: HPACKHeaders] = [:]
  private let ready: EventLoopPromise<ClientConnectionRole>
  private let retired: EventLoopPromise<Void>
  private var calls: [HTTP2StreamID: ClientCall] = [:]
  private var callsHoldingPayload: [ClientCall] = []
  private var nextStream: Int32 = 1
  private var refusal: CallFault?
  /// Whether the server has completed a call, and whether it said that it would leave for no fault of anyone's.
  private(set) var hasServed = false
  private(set) var endedInOrder = false

  /// - Parameters:
  ///   - ready: succeeds when the server's SETTINGS have arrived, which is also the end of the TLS handshake.
  ///   - retired: succeeds when the connection takes no more calls.
  init(
    headers: RequestHeaders, link: ConnectionLink, ready: EventLoopPromise<ClientConnectionRole>,
    retired: EventLoopPromise<Void>
  ) {
    self.headers = headers
    self.link = link
    self.ready = ready
    self.retired = retired
    link.onRetired = { retired.succeed() }
    link.beforeFlush = { [unowned self] in sendHeldPayloads() }
    link.onCredit = { [unowned self] stream, credit in calls[stream]?.returnCredit(credit) }
  }

  // MARK: Connection

  func opened(remoteAddress: SocketAddress?, localAddress: SocketAddress?) {}

  func secured(for negotiatedProtocol: String?, peerCertificate: NIOSSLCertificate?) -> Bool {
    guard negotiatedProtocol != "h2" else { return true }
    refusal = CallFault(.unavailable, "the server does not speak HTTP/2 over TLS (ALPN)")
    return false
  }

  func settingsArrived(_ settings: HTTP2Settings) {
    if let limit = settings.last(where: { $0.parameter == .maxConcurrentStreams }) {
      // One call may always be begun: it waits for the server to change its mind.
      callLimit.store(max(1, limit.value), ordering: .relaxed)
    }
    ready.succeed(self)
  }

  func shuttingDown() {}

  /// GOAWAY: calls the server has not taken are over, those it has taken go on.
  ///
  /// All that are over are told so before anything is written: a frame for one stream may make swift-nio-http2 report the end of
  /// the others, which it calls cancelled.
  func peerIsLeaving(lastStream: HTTP2StreamID, code: HTTP2ErrorCode) {
    if code == .noError {
      endedInOrder = true
    } else {
      refusal = refusal ?? CallFault(.unavailable, "the server ended it with the error \(code)")
    }
    let refused = calls.filter { $0 > lastStream || !$1.hasLeft }
    for (stream, call) in refused {
      forget(stream)
      call.close(CallFault(.unavailable, "the server was shutting down and did not take the call"))
    }
    // swift-nio-http2 has dropped those it had sent, and keeps those that wait for a stream to become free.
    for (stream, call) in refused where !call.hasLeft { link.write(stream, .rstStream(.cancel)) }
    link.peerIsLeaving()
  }

  func closed(by failure: (any Error)?) {
    let cause = (refusal?.message ?? failure.map { "\($0)" }).map { ": \($0)" } ?? ""
    let lost = calls
    calls.removeAll()
    callsHoldingPayload.removeAll()
    for call in lost.values { call.close(CallFault(.unavailable, "the connection to the server was lost\(cause)")) }
    ready.fail(refusal ?? failure ?? ChannelError.ioOnClosedChannel)
  }

  // MARK: Streams

  /// The header fields that every request for `method` has.
  func headers(of method: MethodDescriptor) -> HPACKHeaders {
    if let known = headersByMethod[method] { return known }
    let made = headers.make(for: method)
    headersByMethod[method] = made
    return made
  }

  /// A stream for `call`; the connection has to take calls.
  func openStream(for call: ClientCall) -> HTTP2StreamID {
    let stream = HTTP2StreamID(nextStream)
    calls[stream] = call
    link.callOpened()
    if nextStream < Int32.max - 1 {
      nextStream += 2
    } else {
      // RFC 9113 section 5.1.1: a connection that has used up its stream identifiers is replaced.
      link.beginShutdown()
    }
    return stream
  }

  /// Makes room when nothing else can: no message can be read, and there is none for the rest of any.
  func endDispensableCalls() {
    while let stream = link.dispensable, let call = calls[stream] { call.fail(.tooManyIncompleteMessages) }
  }

  func streamOpened(_ stream: HTTP2StreamID) {
    calls[stream]?.hasLeft = true
  }

  /// Resets a stream and forgets its call.
  func reset(_ stream: HTTP2StreamID, _ code: HTTP2ErrorCode) {
    guard forget(stream) != nil else { return }
    link.write(stream, .rstStream(code))
  }

  func receive(_ headers: HTTP2Frame.FramePayload.Headers, on stream: HTTP2StreamID) {
    calls[stream]?.receive(headers)
  }

  func receive(_ payload: ByteBuffer, padding: Int, endStream: Bool, on stream: HTTP2StreamID) {
    calls[stream]?.receive(payload, padding: padding, endStream: endStream)
  }

  func streamClosed(_ stream: HTTP2StreamID, fault: CallFault?) {
    guard let call = forget(stream) else { return }
    if fault == nil { hasServed = true }
    call.close(fault ?? CallFault(.internalError, "the server ended the call without a status"))
  }

  func streamFailed(_ stream: HTTP2StreamID) {
    calls[stream]?.fail(CallFault(.internalError, "a frame of the request could not be sent"))
  }

  @discardableResult
  private func forget(_ stream: HTTP2StreamID) -> ClientCall? {
    guard let call = calls.removeValue(forKey: stream) else { return nil }
    link.callClosed()
    return call
  }

  // MARK: Held payloads

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
}
