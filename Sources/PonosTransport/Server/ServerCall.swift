import GRPCCore
import NIOCore

/// One call on a server: carries out what ``ServerStreamStateMachine`` decides.
///
/// All state belongs to the event loop of the connection.
final class ServerCall: StreamCall, CallInboundOwner, @unchecked Sendable {
  typealias Part = RPCRequestPart<MessageBytes>

  /// Begins the task that runs the handler, on the event loop or, for large requests, off it.
  typealias Beginning = (_ isLarge: Bool) -> Task<Void, Never>

  let id: StreamID
  let method: ServedMethod
  let inbound: CallInbound<ServerCall>
  let gate: SendGate
  let eventLoop: any EventLoop

  private let decompression: DecompressionLimits

  // Event loop only.
  private let link: ConnectionLink
  private let handlers: RunningHandlers
  private let clock: ProgressClock
  private var progress: CallProgress
  private var machine: ServerStreamStateMachine
  private let body: OutboundBody
  private var hasBegunResponse = false
  /// Begins the task of the handler; nil once it has, or never will.
  private var begin: Beginning?
  private var task: Task<Void, Never>?
  private var cancellation: ServerContext.RPCCancellationHandle?
  private var deadline: Scheduled<Void>?
  private var isClosed = false
  private var isStopped = false

  init(
    id: StreamID, method: ServedMethod, machine: ServerStreamStateMachine, maxCompressionRatio: Int?, link: ConnectionLink,
    handlers: RunningHandlers, clock: ProgressClock
  ) {
    self.id = id
    self.method = method
    self.machine = machine
    decompression = DecompressionLimits(maxBytes: machine.maxMessageBytes, maxRatio: maxCompressionRatio)
    self.link = link
    self.handlers = handlers
    self.clock = clock
    progress = CallProgress(limits: clock.limits)
    eventLoop = link.eventLoop
    inbound = CallInbound(eventLoop: eventLoop)
    gate = SendGate(eventLoop: eventLoop)
    body = OutboundBody(gate: gate, unsent: link.unsent)
    inbound.attach(self)
  }

  /// Begins with the metadata. The handler begins at once, or, when its request is one message, as soon as the length of that is known:
  /// large messages are decoded, and compressed ones inflated, off the event loop.
  func start(metadata: Metadata, timeout: Duration?, begin: @escaping Beginning) {
    self.begin = begin
    inbound.deliver(.metadata(metadata))
    if let timeout {
      deadline = eventLoop.scheduleTask(in: TimeAmount(timeout)) { self.deadlinePassed() }
    }
    beginHandlerIfDue()
    drainEvents()
  }

  private func beginHandlerIfDue() {
    guard let begin else { return }
    let announced = machine.announced
    guard !method.hasSingleRequest || announced != nil || !machine.isRequestIncomplete else { return }
    self.begin = nil
    handlers.began()
    let isLarge = announced.map { $0.length > DecompressionLimits.maxOnEventLoop || $0.isCompressed && inflatesMuch($0.length) }
    task = begin(method.hasSingleRequest && isLarge == true)
  }

  private func inflatesMuch(_ count: Int) -> Bool {
    decompression.bytes(forCompressed: count) > DecompressionLimits.maxOnEventLoop
  }

  /// Lets the handler observe that the client has gone, or that the server is shutting down.
  func attach(_ handle: ServerContext.RPCCancellationHandle) {
    cancellation = handle
    if isStopped || handlers.areTold { handle.cancel() }
  }

  /// Tells the handler; what it makes of that is its own business.
  func serverIsShuttingDown() {
    cancellation?.cancel()
  }

  // MARK: From the network

  /// Takes content of a DATA frame.
  func receive(_ payload: ByteBuffer, endStream: Bool) {
    if machine.receive(payload, endStream: endStream) { link.hold(payload.readableBytes) }
    beginHandlerIfDue()
    drainEvents()
    link.endDispensableCalls()
  }

  func receiveTrailers() {
    machine.receiveTrailers()
    beginHandlerIfDue()
    drainEvents()
  }

  private func drainEvents() {
    var hasMessage = false
    while let event = machine.nextEvent() {
      switch event {
      case .message(let message):
        hasMessage = true
        link.messageCompleted()
        giveBack(link.messageEnded(id))
        let bytes = inbound.isAwaited ? message.bytes : message.bytes.withoutExcessStorage()
        inbound.deliver(.message(bytes), weight: message.weight)
      case .credit(let bytes):
        giveBack(link.messageGrew(id, by: bytes))
      case .requestEnded:
        inbound.finish()
      case .fault(let fault):
        end(fault)
      }
    }
    noteProgress(isNext: hasMessage)
    link.shareCredit()
  }

  /// A request that is one message has to become complete as a whole, one that is a stream message by message.
  private func noteProgress(isNext: Bool) {
    let isSingle = method.hasSingleRequest
    let isIncomplete = isSingle ? machine.isRequestIncomplete : machine.isMessageIncomplete
    progress.note(isIncomplete: isIncomplete, isNext: isNext && !isSingle, at: clock.tick)
  }

  /// Answers with a fault of the transport's own and stops the handler.
  func end(_ fault: CallFault) {
    if let limit = fault.limit { link.note(limit) }
    abandonRequest()
    inbound.fail(fault.error)
    answer(fault.status)
    stopHandler()
  }

  /// The stream is gone: reset by the client, or lost with its connection.
  func close(_ error: RPCError) {
    guard !isClosed else { return }
    isClosed = true
    deadline?.cancel()
    let wasAnswered = machine.isAnswered
    dropMessage(machine.abort())
    gate.close(error)
    body.discard()
    inbound.fail(error)
    if !wasAnswered { stopHandler() }
  }

  /// A handler that has not begun never will, and would have let go of the parts that wait for it.
  private func stopHandler() {
    isStopped = true
    if begin != nil {
      begin = nil
      inbound.discard()
    }
    cancellation?.cancel()
    task?.cancel()
  }

  private func deadlinePassed() {
    guard !machine.isAnswered else { return }
    end(CallFault(.deadlineExceeded, "the deadline of the call passed before it was answered"))
  }

  // MARK: To the network

  func write(_ part: RPCResponsePart<MessageBytes>) throws(RPCError) -> Bool {
    switch part {
    case .metadata(let metadata):
      link.respond(id, try machine.send(metadata: metadata), body: body)
      hasBegunResponse = true
    case .message(let bytes):
      let payload = try machine.send(message: bytes)
      guard link.unsent.admits(payload.readableBytes) else { throw refuseResponse() }
      body.append(payload)
      link.bodyGrew(body, of: id)
    case .status(let status, let metadata):
      finishStream(try machine.send(status: status, metadata: metadata))
    }
    return gate.isShut
  }

  /// Ends the call because too much waits on its connection already.
  private func refuseResponse() -> RPCError {
    let text = "the client of this connection does not take its responses: more than \(link.unsent.limit) bytes would wait"
    let fault = CallFault(.resourceExhausted, text, limit: .connectionUnsentBytes)
    end(fault)
    return fault.error
  }

  func finishWriting() {
    answer(Status(code: .internalError, message: "the handler ended without a status"))
  }

  func abortWriting(_ error: any Error) {
    guard !machine.isAnswered else { return }
    deadline?.cancel()
    dropMessage(machine.abort())
    link.reset(id, .internalError)
  }

  /// The handler has returned; the call holds on to nothing any more.
  func handlerReturned() {
    finishWriting()
    abandonRequest()
    inbound.discard()
    task = nil
    cancellation = nil
    handlers.returned()
  }

  /// Sends `status` unless the call has one already.
  private func answer(_ status: Status) {
    guard !machine.isAnswered, let trailers = try? machine.send(status: status, metadata: [:]) else { return }
    finishStream(trailers)
  }

  private func finishStream(_ trailers: HeaderFields) {
    deadline?.cancel()
    deadline = nil
    guard hasBegunResponse else {
      link.respond(id, trailers)
      return
    }
    body.ending = .trailers(trailers)
    link.bodyGrew(body, of: id)
  }

  // MARK: Limits

  /// Ends the call if its request or its response stands still.
  func checkProgress() {
    let stall = progress.stall(
      at: clock.tick, waiting: body.count, taken: body.takenBytes, isHeldUp: link.isHoldingUpPeer)
    switch stall {
    case .request:
      let subject = method.hasSingleRequest ? "the request" : "a message of the request"
      end(CallFault(.deadlineExceeded, "\(subject) was not complete within \(clock.requestTime)", limit: .requestTime))
    case .response:
      link.note(.responseTime)
      abandon(CallFault(.cancelled, "the client took nothing of the response for \(clock.responseTime)"), code: .cancel)
      link.closeIfStuck()
    case nil:
      break
    }
  }

  /// Ends the call if it has messages that wait in this way: the process may hold no more than `limit` bytes of them.
  func shed(_ kind: BufferKind, limit: Int) {
    switch kind {
    case .received where machine.isMessageIncomplete || inbound.hasUnread:
      end(CallFault(.resourceExhausted, "the server holds more than \(limit) bytes of messages that are incomplete or unread"))
    case .unsent where body.count > 0:
      let text = "the server holds more than \(limit) bytes of responses that clients do not take"
      abandon(CallFault(.resourceExhausted, text), code: .enhanceYourCalm)
    case .received, .unsent:
      break
    }
  }

  /// Resets the stream, with what waits to be sent on it.
  private func abandon(_ fault: CallFault, code: HTTP2ErrorCode) {
    deadline?.cancel()
    dropMessage(machine.abort())
    gate.close(fault.error)
    inbound.fail(fault.error)
    link.reset(id, code)
    stopHandler()
  }

  // MARK: The request

  func didRead(_ weight: MessageWeight) {
    link.messageRead(weight.held)
    giveBack(weight.credit)
    link.shareCredit()
    // What is left may be beginnings of messages alone, and no frame need follow. Not at once: this call's reader is being served.
    if link.isWedged { eventLoop.execute { self.link.endDispensableCalls() } }
  }

  static func isPacked(_ part: Part) -> Bool {
    if case .message(let message) = part { message.isCompressed } else { false }
  }

  func isLarge(_ part: Part) -> Bool {
    if case .message(let message) = part { inflatesMuch(message.count) } else { false }
  }

  func unpack(_ part: Part) throws(RPCError) -> Part {
    guard case .message(let message) = part else { return part }
    do throws(CallFault) {
      return .message(try message.decompressed(decompression))
    } catch {
      let fault = error
      onEventLoop { self.end(fault) }
      throw error.error
    }
  }

  private func abandonRequest() {
    dropMessage(machine.abandonRequest())
    progress.note(isIncomplete: false, at: clock.tick)
  }

  /// Gives back what an incomplete message of `bytes` took.
  private func dropMessage(_ bytes: Int) {
    link.release(bytes)
    giveBack(link.messageEnded(id))
    link.shareCredit()
  }

  /// Lets the client send `bytes` more.
  func giveBack(_ bytes: Int) {
    if machine.requestIsOpen { link.giveBack(bytes, to: id) }
  }
}
