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
  let isServer: Bool
  var budget: ConnectionReceiveBudget
  var lifecycle: ConnectionLifecycle
  /// The highest stream the peer has opened.
  var lastPeerStream = HTTP2StreamID.rootStream
  /// Called before each flush, for what was held back in the hope of being sent together.
  var beforeFlush: (() -> Void)?
  /// Called when the connection begins to shut down.
  var onDraining: (() -> Void)?

  private var context: ChannelHandlerContext?
  private var isReading = false
  private var flushIsDue = false
  private var flushIsScheduled = false
  private var timer: (deadline: NIODeadline, scheduled: Scheduled<Void>)?

  init(eventLoop: any EventLoop, isServer: Bool, http2: HTTP2Limits, connection: ConnectionLimits) {
    self.eventLoop = eventLoop
    self.isServer = isServer
    budget = ConnectionReceiveBudget(windowSize: http2.windowSize, limit: http2.maxHeldBytes)
    lifecycle = ConnectionLifecycle(limits: connection, openedAt: .now())
  }

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
    beforeFlush = nil
    onDraining = nil
    timer?.scheduled.cancel()
    timer = nil
  }

  var isAttached: Bool { context != nil }

  func close() {
    context?.close(promise: nil)
  }

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
    guard !isReading, !flushIsScheduled else { return }
    flushIsScheduled = true
    eventLoop.assumeIsolated().execute {
      self.flushIsScheduled = false
      self.flush()
    }
  }

  private func flush() {
    guard flushIsDue else { return }
    beforeFlush?()
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
    if data == PingPurpose.shutdown { perform(lifecycle.announcementArrived()) }
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
    perform(lifecycle.callClosed(at: .now()))
    if lifecycle.openCalls == 0 { armTimer() }
  }

  /// Stops taking calls and closes when those that are open have ended.
  func beginShutdown() {
    perform(lifecycle.beginShutdown(at: .now()))
    onDraining?()
    armTimer()
  }

  /// The peer takes no more calls.
  func peerIsLeaving() {
    perform(lifecycle.peerIsLeaving(at: .now()))
    onDraining?()
    armTimer()
  }

  private func perform(_ action: ConnectionLifecycle.Action?) {
    switch action {
    case nil:
      return
    case .ping:
      write(.rootStream, .ping(PingPurpose.keepalive, ack: false))
    case .announceShutdown where isServer:
      sendGoAway(lastStream: .maxID)
      write(.rootStream, .ping(PingPurpose.shutdown, ack: false))
    case .announceShutdown:
      // A client needs no announcement: it opens the streams itself.
      perform(lifecycle.announcementArrived())
    case .refuseCalls:
      sendGoAway(lastStream: lastPeerStream)
      perform(lifecycle.closeIfDrained())
    case .close:
      flushIsDue = true
      flush()
      close()
    }
  }

  private func sendGoAway(lastStream: HTTP2StreamID) {
    write(.rootStream, .goAway(lastStreamID: lastStream, errorCode: .noError, opaqueData: nil))
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
    while let action = lifecycle.advance(to: now) { perform(action) }
    if lifecycle.isDraining { onDraining?() }
    armTimer()
  }
}
