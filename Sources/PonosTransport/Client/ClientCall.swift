import GRPCCore
import NIOCore

/// One call of a client: carries out what ``ClientStreamStateMachine`` decides.
///
/// All state belongs to the event loop of the call, which is that of every connection it may use.
final class ClientCall: StreamCall, CallInboundOwner, @unchecked Sendable {
  typealias Part = RPCResponsePart<MessageBytes>

  let descriptor: MethodDescriptor
  let inbound: CallInbound<ClientCall>
  let gate: SendGate
  let eventLoop: any EventLoop

  private let decompression: DecompressionLimits

  // Event loop only.
  private(set) var connection: ClientConnection
  /// Whether the request is on its way, as opposed to waiting for a stream to become free.
  var hasLeft = false
  private var link: ConnectionLink { connection.role.link }
  private var id: StreamID?
  private var machine: ClientStreamStateMachine
  private let body: OutboundBody
  /// When the call ends at the latest; nil never.
  private(set) var deadline: NIODeadline?
  private var timer: Scheduled<Void>?
  /// Whether the metadata has been looked through for a deadline; a call that moves to another connection keeps the first.
  private var hasReadTimeout = false

  init(
    _ descriptor: MethodDescriptor, machine: ClientStreamStateMachine, connection: ClientConnection,
    deadline: NIODeadline? = nil
  ) {
    self.descriptor = descriptor
    self.deadline = deadline
    self.machine = machine
    decompression = DecompressionLimits(maxBytes: machine.maxMessageBytes)
    self.connection = connection
    eventLoop = connection.channel.eventLoop
    inbound = CallInbound(eventLoop: eventLoop)
    gate = SendGate(eventLoop: eventLoop)
    body = OutboundBody(gate: gate, unsent: connection.role.link.unsent)
    inbound.attach(self)
  }

  // MARK: To the network

  /// Begins the call; false when the connection takes no more calls, so that another is needed. A deadline in the metadata, as
  /// `grpc-timeout`, counts from here, unless there is an earlier one; it is kept on this side as well as told to the server.
  func begin(_ metadata: Metadata) throws(RPCError) -> Bool {
    guard machine.isIdle else { throw machine.misuse }
    if !hasReadTimeout, let timeout = GRPCTimeout.first(in: metadata) {
      let named = eventLoop.now + TimeAmount(timeout)
      deadline = min(deadline ?? named, named)
    }
    hasReadTimeout = true
    guard link.takesCalls else { return false }
    let headers = try machine.begin(connection.role.headers(of: descriptor), metadata: try withTimeLeft(metadata))
    id = connection.role.openStream(for: self, headers, body: body)
    guard id != nil else { throw RPCError(code: .unavailable, message: "the connection to the server has no stream left") }
    timer = deadline.map { eventLoop.scheduleTask(deadline: $0) { self.deadlinePassed() } }
    return true
  }

  /// `metadata` with the time that the server has to answer.
  private func withTimeLeft(_ metadata: Metadata) throws(RPCError) -> Metadata {
    guard let deadline else { return metadata }
    let left = deadline - eventLoop.now
    guard left > .zero else { throw CallDeadline.fault.error }
    var metadata = metadata
    metadata.replaceOrAddString(GRPCTimeout.text(for: left), forKey: GRPCTimeout.name)
    return metadata
  }

  /// Uses another connection, of the same event loop; the call has not begun.
  func move(to connection: ClientConnection) {
    self.connection = connection
  }

  func write(_ part: RPCRequestPart<MessageBytes>) throws(RPCError) -> Bool {
    guard case .message(let bytes) = part, let id else { throw machine.misuse }
    body.append(try machine.send(message: bytes))
    link.bodyGrew(body, of: id)
    return gate.isShut
  }

  func finishWriting() {
    guard machine.finishRequest(), let id else { return }
    body.ending = .data
    link.bodyGrew(body, of: id)
  }

  func abortWriting(_ error: any Error) {
    guard !machine.isAnswered else { return }
    switch error {
    case let error as RPCError where error.cause is CancellationError: cancel()
    case let error as RPCError: fail(CallFault(error.code, error.message))
    case is CancellationError: cancel()
    default: fail(CallFault(.unknown, "the request could not be written: \(error)"))
    }
  }

  /// The caller has left the call: whatever is still open is reset.
  func leave() {
    inbound.discard()
    // Once the answer is complete, the rest of the request is of no interest to anyone.
    let code: HTTP2ErrorCode? = machine.serverMaySend ? .cancel : machine.requestIsComplete && body.isTaken ? nil : .noError
    close(CallFault(.cancelled, "the caller left the call"))
    if let id, let code { connection.role.reset(id, code) }
  }

  /// Gives the call up at the caller's wish.
  func cancel() {
    guard !machine.isAnswered else { return }
    fail(CallFault(.cancelled, "the caller cancelled the call"))
  }

  private func deadlinePassed() {
    guard !machine.isAnswered else { return }
    fail(CallDeadline.fault)
  }

  // MARK: From the network

  func receive(_ headers: HeaderFields, endStream: Bool) {
    machine.receive(headers, endStream: endStream)
    drainEvents()
  }

  func receive(_ payload: ByteBuffer, endStream: Bool) {
    if machine.receive(payload, endStream: endStream) { link.hold(payload.readableBytes) }
    drainEvents()
    link.endDispensableCalls()
  }

  private func drainEvents() {
    while let event = machine.nextEvent() { deliver(event) }
    link.shareCredit()
    // An answer that is not gRPC, or breaks its rules, ends the call before the stream.
    if machine.isAnswered, machine.serverMaySend { fail(CallFault(.cancelled, "the call is over")) }
  }

  private func deliver(_ event: ClientStreamStateMachine.Event) {
    switch event {
    case .metadata(let metadata):
      inbound.deliver(.metadata(metadata))
    case .message(let message):
      link.messageCompleted()
      if let id { giveBack(link.messageEnded(id)) }
      let bytes = inbound.isAwaited ? message.bytes : message.bytes.withoutExcessStorage()
      inbound.deliver(.message(bytes), weight: message.weight)
    case .credit(let bytes):
      if let id { giveBack(link.messageGrew(id, by: bytes)) }
    case .status(let status, let metadata):
      timer?.cancel()
      timer = nil
      inbound.deliver(.status(status, metadata))
      inbound.finish()
    }
  }

  /// Resets the stream because of a fault of the transport's own.
  func fail(_ fault: CallFault) {
    close(fault)
    if let id { connection.role.reset(id, .cancel) }
  }

  /// The stream is gone; the caller is told `fault` unless it knows the end already.
  func close(_ fault: CallFault) {
    gate.close(fault.error)
    body.discard()
    if let event = machine.abort(fault) { deliver(event) }
    link.release(machine.discardPartial())
    if let id { _ = link.messageEnded(id) }
    link.shareCredit()
  }

  // MARK: The response

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
    guard case .message(let message) = part else { return false }
    return decompression.bytes(forCompressed: message.count) > DecompressionLimits.maxOnEventLoop
  }

  func unpack(_ part: Part) throws(RPCError) -> Part {
    guard case .message(let message) = part else { return part }
    do throws(CallFault) {
      return .message(try message.decompressed(decompression))
    } catch {
      let fault = error
      onEventLoop { self.fail(fault) }
      throw error.error
    }
  }

  /// Lets the server send `bytes` more.
  func giveBack(_ bytes: Int) {
    if let id, machine.serverMaySend { link.giveBack(bytes, to: id) }
  }
}

/// Writes the request of a call, which begins on the first connection that takes it.
struct ClientCallWriter: ClosableRPCWriterProtocol {
  typealias Element = RPCRequestPart<MessageBytes>

  let call: ClientCall
  /// A connection in place of one that takes no more calls, on the same event loop, by the deadline of the call.
  let replacement: @Sendable (ClientConnection, NIODeadline?) async throws -> ClientConnection

  func write(_ part: Element) async throws {
    switch part {
    case .metadata(let metadata): try await begin(metadata)
    case .message: try await CallWriter(call: call).write(part)
    }
  }

  private func begin(_ metadata: Metadata) async throws {
    while true {
      let refusal: (ClientConnection, NIODeadline?)? = try await call.valueOnEventLoop {
        try call.begin(metadata) ? nil : (call.connection, call.deadline)
      }
      guard let (refusing, deadline) = refusal else { return }
      do {
        let next = try await replacement(refusing, deadline)
        call.onEventLoop { call.move(to: next) }
      } catch {
        // Said first: that the request is then given up on would look like the caller's wish.
        let failure = error as? RPCError
        let fault = CallFault(failure?.code ?? .unavailable, failure?.message ?? "no connection to the server: \(error)")
        call.onEventLoop { call.close(fault) }
        throw error
      }
    }
  }

  func write(contentsOf parts: some Sequence<Element>) async throws {
    for part in parts { try await write(part) }
  }

  func finish() async {
    await CallWriter(call: call).finish()
  }

  func finish(throwing error: any Error) async {
    await CallWriter(call: call).finish(throwing: error)
  }
}
