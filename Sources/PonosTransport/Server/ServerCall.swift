import GRPCCore
import NIOCore

/// One call on a server: carries out what ``ServerStreamStateMachine`` decides.
///
/// All state belongs to the event loop of the connection.
final class ServerCall: StreamCall, CallInboundOwner, @unchecked Sendable {
  typealias Part = RPCRequestPart<MessageBytes>

  let id: StreamID
  let descriptor: MethodDescriptor
  let inbound: CallInbound<ServerCall>
  let gate: SendGate
  let eventLoop: any EventLoop

  private let maxMessageBytes: Int

  // Event loop only.
  private let link: ConnectionLink
  private let handlers: RunningHandlers
  private var machine: ServerStreamStateMachine
  private let body: OutboundBody
  private var hasBegunResponse = false
  private var task: Task<Void, Never>?
  private var cancellation: ServerContext.RPCCancellationHandle?
  private var deadline: Scheduled<Void>?
  private var isClosed = false
  private var isStopped = false

  init(
    id: StreamID, descriptor: MethodDescriptor, machine: ServerStreamStateMachine, link: ConnectionLink,
    handlers: RunningHandlers
  ) {
    self.id = id
    self.descriptor = descriptor
    self.machine = machine
    maxMessageBytes = machine.maxMessageBytes
    self.link = link
    self.handlers = handlers
    eventLoop = link.eventLoop
    inbound = CallInbound(eventLoop: eventLoop)
    gate = SendGate(eventLoop: eventLoop)
    body = OutboundBody(gate: gate)
    inbound.attach(self)
  }

  /// Begins with the metadata and the task that runs the handler.
  func start(metadata: Metadata, timeout: Duration?, task: Task<Void, Never>) {
    self.task = task
    inbound.deliver(.metadata(metadata))
    if let timeout {
      deadline = eventLoop.scheduleTask(in: TimeAmount(timeout)) { self.deadlinePassed() }
    }
    drainEvents()
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
    drainEvents()
    link.endDispensableCalls()
  }

  func receiveTrailers() {
    machine.receiveTrailers()
    drainEvents()
  }

  private func drainEvents() {
    while let event = machine.nextEvent() {
      switch event {
      case .message(let message):
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
    link.shareCredit()
  }

  /// Answers with a fault of the transport's own and stops the handler.
  func end(_ fault: CallFault) {
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
    inbound.fail(error)
    if !wasAnswered { stopHandler() }
  }

  private func stopHandler() {
    isStopped = true
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
      body.append(try machine.send(message: bytes))
      link.bodyGrew(body, of: id)
    case .status(let status, let metadata):
      finishStream(try machine.send(status: status, metadata: metadata))
    }
    return gate.isShut
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

  func unpack(_ part: Part) throws(RPCError) -> Part {
    guard case .message(let message) = part else { return part }
    do throws(CallFault) {
      return .message(try message.decompressed(limit: maxMessageBytes))
    } catch {
      let fault = error
      onEventLoop { self.end(fault) }
      throw error.error
    }
  }

  private func abandonRequest() {
    dropMessage(machine.abandonRequest())
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
