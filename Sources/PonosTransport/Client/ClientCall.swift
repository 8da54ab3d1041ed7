import GRPCCore
import NIOCore
import NIOHTTP2

/// One call of a client: carries out what ``ClientStreamStateMachine`` decides.
///
/// All state belongs to the event loop of the connection.
final class ClientCall: CreditKeeper, @unchecked Sendable {
  typealias Part = RPCResponsePart<MessageBytes>

  let descriptor: MethodDescriptor
  let connection: ClientConnectionHandler
  let inbound: CallInbound<Part>
  let gate: SendGate
  var eventLoop: any EventLoop { connection.eventLoop }

  // Event loop only.
  private(set) var id: HTTP2StreamID?
  private var machine: ClientStreamStateMachine
  private var window: ReceiveWindow
  /// The last message, kept until the turn of the loop ends: often it is known by then that no other follows, and the
  /// frame can end the stream as well.
  private var heldPayload: ByteBuffer?

  init(_ descriptor: MethodDescriptor, machine: ClientStreamStateMachine, windowSize: Int, connection: ClientConnectionHandler) {
    self.descriptor = descriptor
    self.machine = machine
    self.connection = connection
    window = ReceiveWindow(size: windowSize)
    inbound = CallInbound(eventLoop: connection.eventLoop)
    gate = SendGate(eventLoop: connection.eventLoop)
    inbound.attach(self)
  }

  // MARK: To the network

  /// Writes one part; returns whether the writer has to wait before the next.
  func write(_ part: RPCRequestPart<MessageBytes>) throws(RPCError) -> Bool {
    switch part {
    case .metadata(let metadata):
      try open(metadata)
    case .message(let bytes):
      let payload = try machine.send(message: bytes)
      sendHeldPayload()
      heldPayload = payload
      connection.holdsPayload(self)
    }
    return gate.isShut
  }

  private func open(_ metadata: Metadata) throws(RPCError) {
    let headers = try machine.begin(descriptor, metadata: metadata, headers: connection.headers)
    guard let id = connection.openStream(for: self) else {
      fail(CallFault(.unavailable, "the connection closed before the call could begin"))
      return
    }
    self.id = id
    connection.link.write(id, .headers(.init(headers: headers)))
  }

  /// Sends what was held back, because the loop's turn ends or something has to follow it.
  func sendHeldPayload(endStream: Bool = false) {
    guard let id, let payload = heldPayload else { return }
    heldPayload = nil
    let promise = gate.admit(payload.readableBytes)
    connection.link.write(id, .data(.init(data: .byteBuffer(payload), endStream: endStream)), promise: promise)
  }

  /// Ends the request.
  func finishRequest() {
    guard machine.finishRequest(), let id else { return }
    if heldPayload != nil {
      sendHeldPayload(endStream: true)
    } else {
      connection.link.write(id, .data(.init(data: .byteBuffer(ByteBuffer()), endStream: true)))
    }
  }

  /// The caller has left the call: whatever is still open is reset.
  func leave() {
    inbound.discard()
    guard let id else { return }
    heldPayload = nil
    if machine.serverMaySend {
      connection.reset(id, .cancel)
    } else if !machine.requestIsComplete {
      // The answer is complete; the rest of the request is of no interest to anyone.
      connection.reset(id, .noError)
    }
    close(CallFault(.cancelled, "the caller left the call"))
  }

  /// Gives the call up at the caller's wish.
  func cancel() {
    guard !machine.isAnswered else { return }
    if let id { connection.reset(id, .cancel) }
    close(CallFault(.cancelled, "the caller cancelled the call"))
  }

  // MARK: From the network

  func receive(_ headers: HTTP2Frame.FramePayload.Headers) {
    machine.receive(headers.headers, endStream: headers.endStream)
    drainEvents()
  }

  func receive(_ payload: ByteBuffer, padding: Int, endStream: Bool) {
    if machine.receive(payload, endStream: endStream) {
      connection.link.budget.hold(payload.readableBytes)
      returnCredit(padding)
    }
    drainEvents()
    if connection.link.budget.isWedged {
      fail(CallFault(.resourceExhausted, "the calls of this connection hold too many incomplete messages"))
    }
  }

  private func drainEvents() {
    while let event = machine.nextEvent() { deliver(event) }
    // An answer that is not gRPC, or breaks its rules, ends the call before the stream.
    if machine.isAnswered, machine.serverMaySend, let id {
      connection.reset(id, .cancel)
      close(CallFault(.cancelled, "the call is over"))
    }
  }

  private func deliver(_ event: ClientStreamStateMachine.Event) {
    switch event {
    case .metadata(let metadata):
      inbound.deliver(.metadata(metadata))
    case .message(let message):
      connection.link.budget.messageCompleted()
      inbound.deliver(.message(MessageBytes(received: message.bytes)), weight: message.weight)
    case .credit(let bytes):
      returnCredit(bytes)
    case .status(let status, let metadata):
      inbound.deliver(.status(status, metadata))
      inbound.finish()
    }
  }

  /// Resets the stream because of a fault of the transport's own.
  func fail(_ fault: CallFault) {
    if let id { connection.reset(id, .cancel) }
    close(fault)
  }

  /// The stream is gone; the caller is told `fault` unless it knows the end already.
  func close(_ fault: CallFault) {
    heldPayload = nil
    gate.close(fault.error)
    if let event = machine.abort(fault) { deliver(event) }
    connection.link.announce(connection.link.budget.release(machine.discardPartial()))
  }

  // MARK: Flow control

  func didRead(_ weight: MessageWeight) {
    connection.link.announce(connection.link.budget.messageRead(weight.held))
    returnCredit(weight.credit)
  }

  private func returnCredit(_ bytes: Int) {
    guard let id, machine.serverMaySend, let increment = window.release(bytes) else { return }
    connection.link.write(id, .windowUpdate(windowSizeIncrement: increment))
  }
}

/// Writes the request of a call.
struct ClientCallWriter: ClosableRPCWriterProtocol {
  typealias Element = RPCRequestPart<MessageBytes>

  let call: ClientCall

  func write(_ part: Element) async throws {
    let mustWait: Bool
    if call.eventLoop.inEventLoop {
      mustWait = try call.write(part)
    } else {
      mustWait = try await call.eventLoop.submit { try call.write(part) }.get()
    }
    if mustWait { try await call.gate.waitForRoom() }
  }

  func write(contentsOf parts: some Sequence<Element>) async throws {
    for part in parts { try await write(part) }
  }

  func finish() async {
    call.onEventLoop { call.finishRequest() }
  }

  func finish(throwing error: any Error) async {
    call.onEventLoop { call.cancel() }
  }
}

extension ClientCall {
  /// Runs `body` on the event loop of the call, at once if the caller is on it.
  func onEventLoop(_ body: @escaping @Sendable () -> Void) {
    if eventLoop.inEventLoop {
      body()
    } else {
      eventLoop.execute(body)
    }
  }
}
