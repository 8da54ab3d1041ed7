import NIOCore

/// What the calls of one connection share in either role: the way to the network, the receive budget and the clock.
///
/// All state belongs to the event loop of the connection.
final class ConnectionLink {
  /// Contents of our own PINGs, by which their acknowledgements are told apart.
  private enum PingPurpose {
    static let keepalive: UInt64 = 0x706f_6e6f_735f_6b61
    static let shutdown: UInt64 = 0x706f_6e6f_735f_6764
  }

  let eventLoop: any EventLoop
  /// The HTTP/2 side of the connection; nil once the channel is gone.
  var session: HTTP2Session?
  private(set) var budget: ConnectionReceiveBudget
  /// What the calls of the connection have to send.
  let unsent: UnsentMessages
  /// Called with credit that was withheld from a call and is due to it now.
  var onCredit: ((StreamID, Int) -> Void)?
  /// Called with a call that has to end because the connection holds too many beginnings of messages.
  var onOverflow: ((StreamID) -> Void)?
  /// The highest stream the peer has opened.
  var lastPeerStream: StreamID = 0
  /// Called once, when the connection takes no more calls.
  var onRetired: (() -> Void)?

  private let member: QuotaMember?
  private var received: QuotaShare?
  private var incomplete: IncompleteMessages
  private var lifecycle: ConnectionLifecycle
  private var context: ChannelHandlerContext?
  private var isReading = false
  private var flushIsDue = false
  private var flushIsScheduled = false
  private var isFlushing = false
  /// Completed when everything has left; nil while nobody has to know.
  private var farewell: EventLoopPromise<Void>?
  private var timer: (deadline: NIODeadline, scheduled: Scheduled<Void>)?

  /// - Parameters:
  ///   - maxMessageBytes: largest message that the peer may send.
  ///   - maxUnsentBytes: bytes of messages to the peer that may wait.
  ///   - member: the place of the connection in its quota; nil for clients, which choose whom they call.
  init(
    eventLoop: any EventLoop, http2: HTTP2Limits, maxMessageBytes: Int, maxUnsentBytes: Int = .max,
    connection: ConnectionLimits, member: QuotaMember? = nil
  ) {
    self.eventLoop = eventLoop
    self.member = member
    received = member?.share(.received)
    unsent = UnsentMessages(limit: maxUnsentBytes, share: member?.share(.unsent))
    budget = ConnectionReceiveBudget(limit: http2.maxHeldBytes)
    incomplete = IncompleteMessages(
      limit: http2.maxHeldBytes, windowSize: http2.windowSize, maxMessageBytes: maxMessageBytes)
    lifecycle = ConnectionLifecycle(limits: connection, openedAt: .now())
  }

  // MARK: Messages in the making

  /// Notes bytes of an incomplete message; returns the credit to return for them now.
  func messageGrew(_ stream: StreamID, by bytes: Int) -> Int {
    incomplete.grew(stream, by: bytes, held: budget.heldBytes)
  }

  /// Notes that a message is complete or dropped; returns the credit that was withheld for it.
  func messageEnded(_ stream: StreamID) -> Int {
    incomplete.ended(stream)
  }

  /// Lets calls go on that were held up, as far as there is room again.
  func shareCredit() {
    while let due = incomplete.next(held: budget.heldBytes) { onCredit?(due.stream, due.credit) }
  }

  /// Whether the connection holds nothing but beginnings of messages, and too many of them.
  var isWedged: Bool { budget.isWedged }

  /// Ends calls until there is room: none of the messages that the connection holds can be read, and no rest of any can arrive.
  func endDispensableCalls() {
    var last: StreamID?
    while budget.isWedged, let stream = incomplete.dispensable, stream != last {
      last = stream
      onOverflow?(stream)
    }
  }

  // MARK: Life of the channel

  /// The handler joined its pipeline.
  func attach(_ context: ChannelHandlerContext) {
    self.context = context
    armTimer()
  }

  /// The channel is active.
  func open() {
    scheduleFlush()
  }

  /// The channel is gone.
  func detach() {
    context = nil
    session = nil
    farewell?.fail(ChannelError.ioOnClosedChannel)
    farewell = nil
    retire()
    onCredit = nil
    onOverflow = nil
    timer?.scheduled.cancel()
    timer = nil
  }

  var isAttached: Bool { context != nil }
  var takesCalls: Bool { isAttached && lifecycle.takesCalls }
  /// Whether the connection shut itself down because it had no calls for long.
  var isIdleShutdown: Bool { lifecycle.isIdleShutdown }

  // MARK: Receiving

  func readBegan() {
    isReading = true
  }

  func readCompleted() {
    isReading = false
    received?.settle(at: budget.heldBytes)
    lifecycle.received(at: .now())
    // What the session answers by itself is not announced.
    flushIsDue = true
    flush()
  }

  /// Notes that `bytes` of a message have to be kept.
  func hold(_ bytes: Int) { budget.hold(bytes) }

  /// Notes that a message is complete and can be read.
  func messageCompleted() { budget.messageCompleted() }

  /// Notes content that used up the connection's window, once what it holds is noted.
  func arrived(_ bytes: Int) { giveBack(budget.arrived(bytes)) }

  /// Notes that a complete message of `bytes` was read or dropped.
  func messageRead(_ bytes: Int) {
    giveBack(budget.messageRead(bytes))
    received?.settle(at: budget.heldBytes)
  }

  /// Notes that `bytes` of an incomplete message are no longer held.
  func release(_ bytes: Int) {
    giveBack(budget.release(bytes))
    received?.settle(at: budget.heldBytes)
  }

  /// Whether the connection keeps its peer from sending because too much is unread.
  var isHoldingUpPeer: Bool { budget.isFull }

  private func giveBack(_ bytes: Int) {
    guard bytes > 0 else { return }
    session?.giveBack(bytes)
    scheduleFlush()
  }

  /// Lets the peer send `bytes` more on a stream.
  func giveBack(_ bytes: Int, to stream: StreamID) {
    guard bytes > 0 else { return }
    session?.giveBack(bytes, to: stream)
    scheduleFlush()
  }

  /// Takes an acknowledgement of one of our PINGs.
  func pingAcknowledged(_ opaque: UInt64) {
    if opaque == PingPurpose.shutdown { proceed(with: lifecycle.announcementArrived(at: .now())) }
  }

  // MARK: Sending

  /// Begins a stream; nil when the connection can have no more. What is sent leaves at the end of the loop's turn, that of all calls
  /// with one flush.
  func request(_ headers: HeaderFields, body: OutboundBody) -> StreamID? {
    defer { scheduleFlush() }
    return session?.request(headers, body: body)
  }

  /// Begins a response, which is complete without a body.
  func respond(_ stream: StreamID, _ headers: HeaderFields, body: OutboundBody? = nil) {
    session?.respond(stream, headers, body: body)
    scheduleFlush()
  }

  /// Notes that a message or the end was added to the body of a stream.
  func bodyGrew(_ body: OutboundBody, of stream: StreamID) {
    session?.bodyGrew(body, of: stream)
    scheduleFlush()
  }

  func reset(_ stream: StreamID, _ code: HTTP2ErrorCode) {
    session?.reset(stream, code)
    scheduleFlush()
  }

  func scheduleFlush() {
    flushIsDue = true
    guard !isReading, !isFlushing, !flushIsScheduled else { return }
    flushIsScheduled = true
    eventLoop.assumeIsolated().execute {
      self.flushIsScheduled = false
      self.flush()
    }
  }

  /// Sends what is due, as far as the channel takes it; the rest follows when the channel is writable again.
  private func flush() {
    guard flushIsDue, let context, let session else { return }
    isFlushing = true
    flushIsDue = false
    var (isDone, hasWritten) = (false, false)
    while !isDone, context.channel.isWritable {
      let output = session.makeOutput()
      isDone = output.isEmpty
      hasWritten = hasWritten || !isDone
      for bytes in output { context.write(NIOAny(bytes), promise: nil) }
    }
    settleUnsent(context)
    if isDone, let farewell {
      self.farewell = nil
      hasWritten = true
      context.write(NIOAny(ByteBuffer()), promise: farewell)
    }
    isFlushing = false
    if hasWritten { context.flush() }
    if session.failure != nil { context.close(promise: nil) }
  }

  /// Counts large messages until the socket has taken what was written just now.
  private func settleUnsent(_ context: ChannelHandlerContext) {
    let handedOver = unsent.takeHandedOver()
    if handedOver > 0 {
      let written = eventLoop.makePromise(of: Void.self)
      written.futureResult.assumeIsolated().whenComplete { _ in self.unsent.written(handedOver) }
      context.write(NIOAny(ByteBuffer()), promise: written)
    }
    unsent.settle()
  }

  // MARK: Quota

  /// Counts that the peer has reached a limit.
  func note(_ limit: TransportLimit) { member?.note(limit) }

  /// Bytes that the process may hold in one direction.
  func limit(of kind: BufferKind) -> Int {
    guard let limits = member?.quota.limits else { return .max }
    return kind == .received ? limits.maxReceivedBytes : limits.maxUnsentBytes
  }

  /// Whether a call may begin; false when the connection has been claimed for closing.
  func admitsCall() -> Bool { lifecycle.openCalls > 0 || member?.lease.becomeBusy() ?? true }

  /// The calls of the connection have let go of their messages, as the quota asked.
  func didShed(_ kind: BufferKind) {
    member?.didShed(kind)
    beginShutdown()
  }

  /// Tells the peer that the connection ends now; a call it has begun meanwhile was not taken, and may be repeated.
  func sayGoodbye() {
    session?.refuseStreams(behind: lastPeerStream)
    flushIsDue = true
    flush()
  }

  /// Closes the connection if its socket takes no bytes: a reset would not reach the peer either.
  func closeIfStuck() {
    if let context, !context.channel.isWritable { context.close(promise: nil) }
  }

  // MARK: Lifecycle

  func handshakeCompleted() {
    lifecycle.handshakeCompleted()
    armTimer()
  }

  func callOpened() {
    lifecycle.callOpened()
    if lifecycle.openCalls == 1 { armTimer() }
  }

  func callClosed() {
    let now = NIODeadline.now()
    let action = lifecycle.callClosed(at: now)
    guard lifecycle.openCalls == 0 else { return }
    member?.lease.becomeIdle(at: now)
    proceed(with: action)
  }

  /// Stops taking calls and closes when those that are open have ended.
  func beginShutdown() {
    proceed(with: lifecycle.beginShutdown(at: .now()))
  }

  /// The peer takes no more calls.
  func peerIsLeaving() {
    proceed(with: lifecycle.peerIsLeaving(at: .now()))
  }

  private func proceed(with action: ConnectionLifecycle.Action?) {
    if let action { perform(action) }
    if !lifecycle.takesCalls { retire() }
    armTimer()
  }

  private func perform(_ action: ConnectionLifecycle.Action) {
    switch action {
    case .ping:
      session?.ping(PingPurpose.keepalive)
    case .announceShutdown:
      session?.announceShutdown(followedBy: PingPurpose.shutdown)
    case .refuseCalls:
      session?.refuseStreams(behind: lastPeerStream)
    case .sayFarewell:
      let left = eventLoop.makePromise(of: Void.self)
      left.futureResult.assumeIsolated().whenComplete { _ in
        self.proceed(with: self.lifecycle.farewellLeft(at: .now()))
      }
      guard let session else { return left.fail(ChannelError.ioOnClosedChannel) }
      session.refuseStreams(behind: lastPeerStream)
      farewell = left
    case .closeOutput:
      context?.close(mode: .output, promise: nil)
    case .close:
      context?.close(promise: nil)
    }
    scheduleFlush()
  }

  private func retire() {
    let notice = onRetired
    onRetired = nil
    notice?()
  }

  /// Wakes up at the next deadline of the lifecycle. A deadline that moved later is noticed when the timer fires.
  private func armTimer() {
    guard context != nil, let deadline = lifecycle.nextDeadline else { return }
    if let timer, timer.deadline <= deadline { return }
    timer?.scheduled.cancel()
    let scheduled = eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { self.timerFired() }
    timer = (deadline, scheduled)
  }

  private func timerFired() {
    timer = nil
    let now = NIODeadline.now()
    while let action = lifecycle.advance(to: now) { proceed(with: action) }
    armTimer()
  }
}
