import NIOCore
import NIOHTTP2

/// What the calls of one connection share in either role: the way to the network, the receive budget and the clock.
///
/// All state belongs to the event loop of the connection.
final class ConnectionLink {
  /// Contents of our own PINGs, by which their acknowledgements are told apart.
  private enum PingPurpose {
    static let keepalive = HTTP2PingData(withInteger: 0x706f_6e6f_735f_6b61)
    static let shutdown = HTTP2PingData(withInteger: 0x706f_6e6f_735f_6764)
  }

  let eventLoop: any EventLoop
  var budget: ConnectionReceiveBudget
  /// Called with credit that was withheld from a call and is due to it now.
  var onCredit: ((HTTP2StreamID, Int) -> Void)?
  /// The highest stream the peer has opened.
  var lastPeerStream = HTTP2StreamID.rootStream
  /// Called before each flush, for what was held back in the hope of being sent together.
  var beforeFlush: (() -> Void)?
  /// Called once, when the connection takes no more calls.
  var onRetired: (() -> Void)?

  private var incomplete: IncompleteMessages
  private var lifecycle: ConnectionLifecycle
  private var context: ChannelHandlerContext?
  private var isReading = false
  private var flushIsDue = false
  private var flushIsScheduled = false
  private var isFlushing = false
  private var timer: (deadline: NIODeadline, scheduled: Scheduled<Void>)?

  /// - Parameter maxMessageBytes: largest message that the peer may send.
  init(eventLoop: any EventLoop, http2: HTTP2Limits, maxMessageBytes: Int, connection: ConnectionLimits) {
    self.eventLoop = eventLoop
    budget = ConnectionReceiveBudget(windowSize: http2.windowSize, limit: http2.maxHeldBytes)
    incomplete = IncompleteMessages(
      limit: http2.maxHeldBytes, windowSize: http2.windowSize, maxMessageBytes: maxMessageBytes)
    lifecycle = ConnectionLifecycle(limits: connection, openedAt: .now())
  }

  // MARK: Messages in the making

  /// Notes bytes of an incomplete message; returns the credit to return for them now.
  func messageGrew(_ stream: HTTP2StreamID, by bytes: Int) -> Int {
    incomplete.grew(stream, by: bytes, held: budget.heldBytes)
  }

  /// Notes that a message is complete or dropped; returns the credit that was withheld for it.
  func messageEnded(_ stream: HTTP2StreamID) -> Int {
    incomplete.ended(stream)
  }

  /// Lets calls go on that were held up, as far as there is room again.
  func shareCredit() {
    while let due = incomplete.next(held: budget.heldBytes) { onCredit?(due.stream, due.credit) }
  }

  /// The call to end when the connection holds nothing but beginnings of messages, and too many of them.
  var dispensable: HTTP2StreamID? { budget.isWedged ? incomplete.dispensable : nil }

  // MARK: Life of the channel

  /// The handler joined its pipeline.
  func attach(_ context: ChannelHandlerContext) {
    self.context = context
    armTimer()
  }

  /// The channel is active and the HTTP/2 preface has been written.
  func open() {
    announce(budget.initialIncrement)
  }

  /// The channel is gone.
  func detach() {
    context = nil
    retire()
    beforeFlush = nil
    onCredit = nil
    timer?.scheduled.cancel()
    timer = nil
  }

  var isAttached: Bool { context != nil }
  var takesCalls: Bool { isAttached && lifecycle.takesCalls }
  /// Whether the connection shut itself down because it had no calls for long.
  var isIdleShutdown: Bool { lifecycle.isIdleShutdown }

  // MARK: Writing

  /// Writes one frame; the flush follows at the end of the loop's turn, one for all frames of all calls.
  func write(_ stream: HTTP2StreamID, _ payload: HTTP2Frame.FramePayload, promise: EventLoopPromise<Void>? = nil) {
    guard let context else {
      promise?.fail(ChannelError.ioOnClosedChannel)
      return
    }
    context.write(NIOAny(HTTP2Frame(streamID: stream, payload: payload)), promise: promise)
    scheduleFlush()
  }

  /// Opens the window of the whole connection.
  func announce(_ increment: Int?) {
    if let increment { write(.rootStream, .windowUpdate(windowSizeIncrement: increment)) }
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

  private func flush() {
    guard flushIsDue else { return }
    // What is written now leaves with this flush; it needs no other.
    isFlushing = true
    beforeFlush?()
    isFlushing = false
    flushIsDue = false
    context?.flush()
  }

  // MARK: Reading

  func readBegan() {
    isReading = true
  }

  func readCompleted() {
    isReading = false
    lifecycle.received(at: .now())
    flush()
  }

  /// Takes an acknowledgement of one of our PINGs.
  func pingAcknowledged(_ data: HTTP2PingData) {
    if data == PingPurpose.shutdown { proceed(with: lifecycle.announcementArrived(at: .now())) }
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
    let action = lifecycle.callClosed(at: .now())
    if lifecycle.openCalls == 0 { proceed(with: action) }
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
      write(.rootStream, .ping(PingPurpose.keepalive, ack: false))
    case .announceShutdown:
      context?.triggerUserOutboundEvent(ShutdownAnnouncer.Announcement(), promise: nil)
      write(.rootStream, .ping(PingPurpose.shutdown, ack: false))
    case .refuseCalls:
      sendGoAway()
    case .sayFarewell:
      let left = eventLoop.makePromise(of: Void.self)
      left.futureResult.assumeIsolated().whenComplete { _ in
        self.proceed(with: self.lifecycle.farewellLeft(at: .now()))
      }
      sendGoAway(promise: left)
    case .closeOutput:
      context?.close(mode: .output, promise: nil)
    case .close:
      context?.close(promise: nil)
    }
  }

  private func sendGoAway(promise: EventLoopPromise<Void>? = nil) {
    write(.rootStream, .goAway(lastStreamID: lastPeerStream, errorCode: .noError, opaqueData: nil), promise: promise)
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
