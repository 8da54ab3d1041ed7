import GRPCCore
import NIOCore
import NIOSSL
import Synchronization

/// One connection of a client: opens a stream for each call and hands it the frames that come back.
///
/// All state belongs to the event loop of the connection.
final class ClientConnectionRole: ConnectionRole, @unchecked Sendable {
  let link: ConnectionLink

  /// Calls the connection carries at once, as many as the server lets it; read from any thread. A server that names no limit gets
  /// 100.
  let callLimit = Atomic(100)

  private let headers: RequestHeaderEncoder
  private var headersByMethod: [MethodDescriptor: HeaderFields] = [:]
  private let ready: EventLoopPromise<ClientConnectionRole>
  private let retired: EventLoopPromise<Void>
  private var calls: [StreamID: ClientCall] = [:]
  private var refusal: CallFault?
  /// Whether the server has completed a call, and whether it said that it would leave for no fault of anyone's.
  private(set) var hasServed = false
  private(set) var endedInOrder = false

  /// - Parameters:
  ///   - ready: succeeds when the server's SETTINGS have arrived, which is also the end of the TLS handshake.
  ///   - retired: succeeds when the connection takes no more calls.
  init(
    headers: RequestHeaderEncoder, link: ConnectionLink, ready: EventLoopPromise<ClientConnectionRole>,
    retired: EventLoopPromise<Void>
  ) {
    self.headers = headers
    self.link = link
    self.ready = ready
    self.retired = retired
    link.onRetired = { retired.succeed() }
    link.onCredit = { [unowned self] stream, credit in calls[stream]?.giveBack(credit) }
    link.onOverflow = { [unowned self] stream in calls[stream]?.fail(.tooManyIncompleteMessages) }
  }

  // MARK: Connection

  func opened(remoteAddress: SocketAddress?, localAddress: SocketAddress?) {}

  func secured(for negotiatedProtocol: String?, peerCertificate: NIOSSLCertificate?) -> Bool {
    guard negotiatedProtocol != "h2" else { return true }
    refusal = CallFault(.unavailable, "the server does not speak HTTP/2 over TLS (ALPN)")
    return false
  }

  func settingsArrived(maxConcurrentStreams: Int?) {
    // One call may always be begun: it waits for the server to change its mind.
    if let maxConcurrentStreams { callLimit.store(max(1, maxConcurrentStreams), ordering: .relaxed) }
    ready.succeed(self)
  }

  func shuttingDown() {}

  /// Only servers belong to a quota.
  func shed(_ kind: BufferKind) {}

  /// GOAWAY: calls the server has not taken are over, those it has taken go on.
  ///
  /// All that are over are told so before the session reports the ends of their streams, which it calls refused.
  func peerIsLeaving(lastStream: StreamID, code: HTTP2ErrorCode) {
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
    // The session drops those it had sent, and keeps those that wait for a stream to become free.
    for (stream, call) in refused where !call.hasLeft { link.reset(stream, .cancel) }
    link.peerIsLeaving()
  }

  func closed(by failure: (any Error)?) {
    let cause = (refusal?.message ?? failure.map { "\($0)" }).map { ": \($0)" } ?? ""
    let lost = calls
    calls.removeAll()
    for call in lost.values { call.close(CallFault(.unavailable, "the connection to the server was lost\(cause)")) }
    ready.fail(refusal ?? failure ?? ChannelError.ioOnClosedChannel)
  }

  // MARK: Streams

  /// The header fields that every request for `method` has.
  func headers(of method: MethodDescriptor) -> HeaderFields {
    if let known = headersByMethod[method] { return known }
    let made = headers.make(for: method)
    headersByMethod[method] = made
    return made
  }

  /// Begins the stream of `call`; nil when the connection is gone or has had all its streams.
  func openStream(for call: ClientCall, _ headers: HeaderFields, body: OutboundBody) -> StreamID? {
    guard let stream = link.request(headers, body: body) else { return nil }
    calls[stream] = call
    link.callOpened()
    // RFC 9113 section 5.1.1: a connection that has used up its stream identifiers is replaced.
    if stream.rawValue >= Int32.max - 1 { link.beginShutdown() }
    return stream
  }

  func streamOpened(_ stream: StreamID) {
    calls[stream]?.hasLeft = true
  }

  /// Resets a stream and forgets its call.
  func reset(_ stream: StreamID, _ code: HTTP2ErrorCode) {
    guard forget(stream) != nil else { return }
    link.reset(stream, code)
  }

  func receive(_ headers: HeaderFields, endStream: Bool, on stream: StreamID) {
    calls[stream]?.receive(headers, endStream: endStream)
  }

  func receive(_ payload: ByteBuffer, endStream: Bool, on stream: StreamID) {
    calls[stream]?.receive(payload, endStream: endStream)
  }

  func streamEnded(_ stream: StreamID) {}

  func streamClosed(_ stream: StreamID, fault: CallFault?) {
    guard let call = forget(stream) else { return }
    if fault == nil { hasServed = true }
    call.close(fault ?? CallFault(.internalError, "the server ended the call without a status"))
  }

  /// What still waited when the connection came to its end.
  func streamFailed(_ stream: StreamID) {
    forget(stream)?.close(CallFault(.unavailable, "the connection ended before the call could begin"))
  }

  @discardableResult
  private func forget(_ stream: StreamID) -> ClientCall? {
    guard let call = calls.removeValue(forKey: stream) else { return nil }
    link.callClosed()
    return call
  }
}
