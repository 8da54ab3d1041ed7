import CNghttp2
import NIOCore

/// One HTTP/2 connection without its channel: bytes of the peer in, events out; frames in, bytes for the peer out.
///
/// nghttp2 keeps the rules of HTTP/2: frames, HPACK, states of streams, windows of both directions. What is left to this type is to
/// translate, and to hold peers to ``FrameBudgets``. All of it belongs to one thread.
final class HTTP2Session {
  /// Why a connection cannot go on.
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// Bytes made in one go, after which the channel is asked whether it takes more.
  private static let maxOutput = 64 << 10

  /// Who is told; has to outlive every turn of the session.
  unowned let delegate: any HTTP2SessionDelegate
  /// Set when the connection has to be closed once what is due has been sent.
  private(set) var failure: Failure?

  private let limits: HTTP2Limits
  private let isServer: Bool
  // Only nil while `init` has not made it.
  private var session: OpaquePointer?
  private var budgets: FrameBudgets
  private var bodies: [StreamID: OutboundBody] = [:]

  // Input.
  private var input = ByteBuffer()
  private var inputStart: UnsafeRawPointer?
  private var headers: HeaderFieldCollector
  /// The last content of a DATA frame, kept until it is known whether it ends the stream.
  private var payload: (stream: StreamID, bytes: ByteBuffer)?
  private var frameHasContent = false
  private var peerIsLeaving = false
  /// The stream that the peer has reset last: nghttp2 reports the ends of those alike that are reset by us.
  private var lastReset: StreamID = 0

  // Output.
  private var output = JoinedOutput()
  private var nameValues = NameValues()
  /// Sent when the announcement of a shutdown has been.
  private var pingBehindNotice: UInt64?

  init(isServer: Bool, limits: HTTP2Limits, delegate: any HTTP2SessionDelegate) {
    self.isServer = isServer
    self.limits = limits
    self.delegate = delegate
    budgets = FrameBudgets(maxResetsPerSecond: limits.maxResetsPerSecond)
    headers = HeaderFieldCollector(limit: limits.maxHeaderListSize)
    session = makeSession()
    submitSettings()
  }

  deinit {
    nghttp2_session_del(session)
  }

  private func makeSession() -> OpaquePointer? {
    var option: OpaquePointer?
    var session: OpaquePointer?
    nghttp2_option_new(&option)
    defer { nghttp2_option_del(option) }
    nghttp2_option_set_no_auto_window_update(option, 1)
    // Judged by ``ParsedRequest`` and ``ParsedResponse``: a gateway's answer that is not gRPC has to be understood, not refused.
    nghttp2_option_set_no_http_messaging(option, 1)
    // This version counts the reads a frame takes as well, so it is far more than the fields allowed could need.
    nghttp2_option_set_max_continuations(option, 100)
    // Counted by ``FrameBudgets``.
    nghttp2_option_set_stream_reset_rate_limit(option, .max, .max)
    nghttp2_option_set_max_outbound_ack(option, 10_000)
    let user = Unmanaged.passUnretained(self).toOpaque()
    let result =
      isServer
      ? nghttp2_session_server_new2(&session, HTTP2SessionCallbacks.table, user, option)
      : nghttp2_session_client_new2(&session, HTTP2SessionCallbacks.table, user, option)
    precondition(result == 0, "nghttp2 could not allocate a session")
    return session
  }

  private func submitSettings() {
    var settings = [
      nghttp2_settings_entry(id: NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits.windowSize),
      nghttp2_settings_entry(id: NGHTTP2_SETTINGS_MAX_FRAME_SIZE, limits.maxFrameSize),
      nghttp2_settings_entry(id: NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, limits.maxHeaderListSize),
    ]
    if isServer {
      settings += [
        nghttp2_settings_entry(id: NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits.maxConcurrentStreams),
        // Those priorities would have to be kept for streams that are gone; see ``beganHeaders(of:isRequest:)``.
        nghttp2_settings_entry(id: NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1),
      ]
    } else {
      settings.append(nghttp2_settings_entry(id: NGHTTP2_SETTINGS_ENABLE_PUSH, 0))
    }
    check(nghttp2_submit_settings(session, noFlags, &settings, settings.count))
    check(nghttp2_session_set_local_window_size(session, noFlags, 0, Int32(clamping: limits.windowSize)))
  }

  // MARK: Input

  /// Takes bytes of the peer; ``failure`` says afterwards whether the connection can go on.
  func receive(_ bytes: ByteBuffer) {
    input = bytes
    let result = bytes.withUnsafeReadableBytes { raw in
      inputStart = raw.baseAddress
      return nghttp2_session_mem_recv(session, raw.baseAddress?.assumingMemoryBound(to: UInt8.self), raw.count)
    }
    handOver(endStream: false)
    input = ByteBuffer()
    if result < 0 { fail("\(String(cString: nghttp2_strerror(Int32(clamping: result))))") }
  }

  func began(_ header: nghttp2_frame_hd) -> Bool {
    // Left over where nghttp2 does not say that a frame is complete: that of a stream which is being reset.
    handOver(endStream: false)
    frameHasContent = false
    return affords(budgets.received(type: header.type, flags: header.flags, at: .now()))
  }

  func beganHeaders(of stream: StreamID, isRequest: Bool) {
    headers.begin()
    guard isServer, isRequest else { return }
    // Responses take turns. Without this the oldest stream goes first for as long as it has anything to send, as suits web pages.
    var turns = nghttp2_extpri(urgency: UInt32(NGHTTP2_EXTPRI_DEFAULT_URGENCY), inc: 1)
    check(nghttp2_session_change_extpri_stream_priority(session, stream.rawValue, &turns, 1))
  }

  func received(name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>) -> Bool {
    headers.add(name: name, value: value) || affords(.headers)
  }

  func received(_ bytes: UnsafePointer<UInt8>, count: Int, on stream: StreamID) {
    handOver(endStream: false)
    frameHasContent = true
    guard let inputStart else { return }
    let start = input.readerIndex + (UnsafeRawPointer(bytes) - inputStart)
    payload = input.getSlice(at: start, length: count).map { (stream, $0) }
  }

  /// Passes on what was kept of a DATA frame.
  private func handOver(endStream: Bool) {
    guard let (stream, bytes) = payload else { return }
    payload = nil
    delegate.received(bytes, endStream: endStream, on: stream)
  }

  func received(_ frame: UnsafePointer<nghttp2_frame>) -> Bool {
    let stream = StreamID(frame.pointee.hd.stream_id)
    let endStream = frame.pointee.hd.flags & endStreamFlag != 0
    switch nghttp2_frame_type(UInt32(frame.pointee.hd.type)) {
    case NGHTTP2_DATA:
      return receivedData(stream, endStream: endStream)
    case NGHTTP2_HEADERS:
      delegate.received(headers.fields, endStream: endStream, on: stream)
    case NGHTTP2_RST_STREAM:
      lastReset = stream
    case NGHTTP2_SETTINGS where frame.pointee.hd.flags & acknowledgementFlag == 0:
      let limit = nghttp2_session_get_remote_settings(session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS)
      delegate.settingsArrived(maxConcurrentStreams: limit == .max ? nil : Int(limit))
    case NGHTTP2_PING where frame.pointee.hd.flags & acknowledgementFlag != 0:
      var opaque = frame.pointee.ping.opaque_data
      delegate.pingAcknowledged(withUnsafeBytes(of: &opaque) { UInt64(bigEndian: $0.loadUnaligned(as: UInt64.self)) })
    case NGHTTP2_GOAWAY:
      peerIsLeaving = true
      delegate.peerIsLeaving(
        lastStream: StreamID(frame.pointee.goaway.last_stream_id), code: HTTP2ErrorCode(frame.pointee.goaway.error_code))
    default:
      break
    }
    return true
  }

  private func receivedData(_ stream: StreamID, endStream: Bool) -> Bool {
    if payload != nil {
      handOver(endStream: endStream)
    } else if endStream {
      delegate.received(ByteBuffer(), endStream: true, on: stream)
    } else if !frameHasContent {
      return affords(budgets.receivedNothing(at: .now()))
    }
    return true
  }

  /// False, and the end of the connection, when the peer has sent too much of something.
  private func affords(_ excess: FrameBudgets.Excess?) -> Bool {
    guard let excess else { return true }
    var reason = Array(excess.rawValue.utf8)
    check(
      nghttp2_submit_goaway(
        session, noFlags, nghttp2_session_get_last_proc_stream_id(session), HTTP2ErrorCode.enhanceYourCalm.rawValue, &reason,
        reason.count))
    fail(excess.rawValue)
    return false
  }

  func closed(_ stream: StreamID, code: HTTP2ErrorCode) {
    bodies[stream] = nil
    delegate.streamClosed(stream, fault: fault(of: stream, code: code))
  }

  private func fault(of stream: StreamID, code: HTTP2ErrorCode) -> CallFault? {
    if stream == lastReset { return .peerReset(code) }
    return code == .noError ? nil : .ownReset(code)
  }

  private func fail(_ reason: String) {
    failure = failure ?? Failure(description: reason)
  }

  // MARK: Windows

  /// Lets the peer send `bytes` more on a stream, as soon as it is worth a frame.
  func giveBack(_ bytes: Int, to stream: StreamID) {
    if bytes > 0 { check(nghttp2_session_consume_stream(session, stream.rawValue, bytes)) }
  }

  /// Lets the peer send `bytes` more on the connection, as soon as it is worth a frame.
  func giveBack(_ bytes: Int) {
    if bytes > 0 { check(nghttp2_session_consume_connection(session, bytes)) }
  }

  // MARK: Frames of ours

  /// Begins a stream with the header fields of a request, which wait while the peer takes no more streams; nil when the connection
  /// has used up its streams.
  func request(_ headers: HeaderFields, body: OutboundBody) -> StreamID? {
    var source = dataSource(body)
    let stream = nameValues.with(headers) { fields, count in
      nghttp2_submit_request(session, nil, fields, count, &source, nil)
    }
    guard stream > 0 else { return nil }
    bodies[StreamID(stream)] = body
    return StreamID(stream)
  }

  /// Begins a response whose messages, and whose end, follow in `body`; without a body the header fields are all of it.
  func respond(_ stream: StreamID, _ headers: HeaderFields, body: OutboundBody? = nil) {
    guard let body else {
      nameValues.with(headers) { check(nghttp2_submit_response(session, stream.rawValue, $0, $1, nil)) }
      return
    }
    bodies[stream] = body
    var source = dataSource(body)
    nameValues.with(headers) { check(nghttp2_submit_response(session, stream.rawValue, $0, $1, &source)) }
  }

  /// Notes that something was added to the body of a stream.
  func bodyGrew(_ body: OutboundBody, of stream: StreamID) {
    if body.count == 0, case .trailers(let trailers) = body.ending {
      // Not by way of the body, which would be an empty DATA frame, and would wait for a window.
      submit(trailers, endOf: body, stream)
    } else if body.isAwaited {
      body.isAwaited = false
      check(nghttp2_session_resume_data(session, stream.rawValue))
    }
  }

  private func submit(_ trailers: HeaderFields, endOf body: OutboundBody, _ stream: StreamID) {
    body.ending = nil
    nameValues.with(trailers) { check(nghttp2_submit_trailer(session, stream.rawValue, $0, $1)) }
  }

  /// Whether the stream is there, and its other side has not ended.
  func peerMaySend(on stream: StreamID) -> Bool {
    nghttp2_session_get_stream_remote_close(session, stream.rawValue) == 0
  }

  /// Resets a stream. One whose header fields still wait to be sent may go on waiting, without its content.
  func reset(_ stream: StreamID, _ code: HTTP2ErrorCode) {
    bodies[stream]?.discard()
    check(nghttp2_submit_rst_stream(session, noFlags, stream.rawValue, code.rawValue))
  }

  func ping(_ opaque: UInt64) {
    withUnsafeBytes(of: opaque.bigEndian) { bytes in
      check(nghttp2_submit_ping(session, noFlags, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)))
    }
  }

  /// Tells the client that the connection will soon take no more streams, while those on their way are still taken; `ping` follows, so
  /// that its acknowledgement shows when the client has been told.
  func announceShutdown(followedBy ping: UInt64) {
    // To a client that has taken its leave nghttp2 announces nothing.
    guard !peerIsLeaving else { return self.ping(ping) }
    // It lets PINGs overtake, so this one is sent when the notice has been.
    pingBehindNotice = ping
    check(nghttp2_submit_shutdown_notice(session))
  }

  /// Refuses streams behind `lastStream`.
  func refuseStreams(behind lastStream: StreamID) {
    check(nghttp2_submit_goaway(session, noFlags, lastStream.rawValue, HTTP2ErrorCode.noError.rawValue, nil, 0))
  }

  private func dataSource(_ body: OutboundBody) -> nghttp2_data_provider {
    nghttp2_data_provider(
      source: nghttp2_data_source(ptr: Unmanaged.passUnretained(body).toOpaque()), read_callback: HTTP2SessionCallbacks.readBody)
  }

  // MARK: Output

  /// Bytes to send, in the order given, at most so many that the channel should be asked before there are more; empty when nothing
  /// is due.
  func makeOutput() -> [ByteBuffer] {
    output.begin()
    repeat {
      var bytes: UnsafePointer<UInt8>?
      let count = nghttp2_session_mem_send(session, &bytes)
      if count < 0 { fail("\(String(cString: nghttp2_strerror(Int32(clamping: count))))") }
      guard count > 0, let bytes else { break }
      output.append(copying: UnsafeBufferPointer(start: bytes, count: count))
    } while output.count < Self.maxOutput
    return output.take()
  }

  /// How much of a body goes into the next DATA frame.
  func read(_ body: OutboundBody, of stream: StreamID, atMost length: Int, flags: inout UInt32) -> Int {
    guard output.count < Self.maxOutput else { return Int(NGHTTP2_ERR_PAUSE.rawValue) }
    let count = min(length, body.count)
    guard count > 0 || body.ending != nil else {
      body.isAwaited = true
      return Int(NGHTTP2_ERR_DEFERRED.rawValue)
    }
    flags |= NGHTTP2_DATA_FLAG_NO_COPY.rawValue
    guard count == body.count, let ending = body.ending else { return count }
    flags |= NGHTTP2_DATA_FLAG_EOF.rawValue
    switch ending {
    case .data:
      body.ending = nil
    case .trailers(let trailers):
      flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
      submit(trailers, endOf: body, stream)
    }
    return count
  }

  func send(_ body: OutboundBody, header: UnsafePointer<UInt8>, length: Int) {
    output.append(copying: UnsafeBufferPointer(start: header, count: 9))
    body.take(length) { output.append($0) }
  }

  /// Told before, because nghttp2 tells that it has sent a frame only when it makes the next.
  func willSend(_ frame: UnsafePointer<nghttp2_frame>) {
    let isRequest =
      nghttp2_frame_type(UInt32(frame.pointee.hd.type)) == NGHTTP2_HEADERS && frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST
    if isRequest { delegate.streamOpened(StreamID(frame.pointee.hd.stream_id)) }
  }

  func sent(_ frame: UnsafePointer<nghttp2_frame>) {
    let stream = StreamID(frame.pointee.hd.stream_id)
    switch nghttp2_frame_type(UInt32(frame.pointee.hd.type)) {
    case NGHTTP2_DATA, NGHTTP2_HEADERS:
      budgets.sent()
    case NGHTTP2_RST_STREAM:
      _ = affords(budgets.reset(HTTP2ErrorCode(frame.pointee.rst_stream.error_code), at: .now()))
    case NGHTTP2_GOAWAY:
      // What nghttp2 sends when the peer has broken the rules of the connection.
      let code = HTTP2ErrorCode(frame.pointee.goaway.error_code)
      if code != .noError { fail("the peer broke the rules of HTTP/2: error code \(code.rawValue)") }
      if let pingBehindNotice { ping(pingBehindNotice) }
      pingBehindNotice = nil
    default:
      break
    }
    if stream > 0, frame.pointee.hd.flags & endStreamFlag != 0, frame.pointee.hd.type <= 1 { delegate.streamEnded(stream) }
  }

  func failedToSend(_ frame: UnsafePointer<nghttp2_frame>) {
    guard nghttp2_frame_type(UInt32(frame.pointee.hd.type)) == NGHTTP2_HEADERS else { return }
    let stream = StreamID(frame.pointee.hd.stream_id)
    // The body of fields that have not been sent is not asked for; that of a request is told no other end.
    if frame.pointee.headers.cat != NGHTTP2_HCAT_HEADERS { bodies[stream] = nil }
    delegate.streamFailed(stream)
  }

  /// nghttp2 refuses what has become pointless, which is no fault: a stream that was asked for something may have ended meanwhile.
  /// Only memory may run out.
  private func check(_ result: Int32) {
    precondition(result != NGHTTP2_ERR_NOMEM.rawValue, "nghttp2 is out of memory")
  }
}

/// nghttp2 wants all flags in a type that its own constants do not have.
private let noFlags = UInt8(NGHTTP2_FLAG_NONE.rawValue)
private let endStreamFlag = UInt8(NGHTTP2_FLAG_END_STREAM.rawValue)
private let acknowledgementFlag = UInt8(NGHTTP2_FLAG_ACK.rawValue)

extension nghttp2_settings_entry {
  fileprivate init(id: nghttp2_settings_id, _ value: Int) {
    self.init(settings_id: Int32(id.rawValue), value: UInt32(clamping: value))
  }
}
