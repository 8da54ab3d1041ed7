package import GRPCCore
package import NIOCore

/// The life of one call as a server sees it: frames in, events for the handler out; parts in, frames out.
///
/// The request and the response end independently of each other. Only ``abort()`` ends both at once.
package struct ServerStreamStateMachine: Sendable {
  /// Something for the handler, or for the connection on behalf of the call.
  package enum Event: Sendable {
    case message(MessageAssembler.Message)
    /// Flow-control credit to return at once.
    case credit(Int)
    /// The client will send no more.
    case requestEnded
    /// The client broke the rules; the call has to end with this.
    case fault(CallFault)
  }

  private enum Request {
    /// The client may send messages.
    ///
    /// Can transition to ``ending``, ``closed``.
    case open
    /// The last frame has arrived; messages before it may still have to be taken.
    ///
    /// Can transition to ``closed``.
    case ending
    /// Everything has been taken, or nobody reads the request any more; what still arrives is dropped.
    ///
    /// This state is terminal.
    case closed
  }

  private enum Response {
    /// Nothing has been sent.
    ///
    /// Can transition to ``open``, ``closed``.
    case idle
    /// The metadata has been sent; messages and the status may follow.
    ///
    /// Can transition to ``closed``.
    case open
    /// The status has been sent, or the call was aborted.
    ///
    /// This state is terminal.
    case closed
  }

  private var request: Request
  private var response = Response.idle
  private var endStreamSeen: Bool
  private var assembler: MessageAssembler
  private let compressesResponse: Bool

  /// - Parameters:
  ///   - endStream: whether the header fields were the whole request.
  ///   - compressesResponse: whether messages of the response are sent compressed with gzip.
  package init(maxMessageBytes: Int, requestIsGzip: Bool, compressesResponse: Bool, endStream: Bool) {
    assembler = MessageAssembler(maxMessageBytes: maxMessageBytes, acceptsGzip: requestIsGzip)
    request = endStream ? .ending : .open
    endStreamSeen = endStream
    self.compressesResponse = compressesResponse
  }

  /// Largest message accepted, in bytes, before and after decompression.
  package var maxMessageBytes: Int { assembler.maxMessageBytes }

  /// Whether the response is complete.
  package var isAnswered: Bool { response == .closed }
  /// Whether the client has begun a message, and somebody waits for the rest of it.
  package var isMessageIncomplete: Bool { request != .closed && assembler.isIncomplete }
  /// Whether somebody waits for more of the request.
  package var isRequestIncomplete: Bool { request == .open }
  /// What the prefix of the next message says of its length, and whether it is compressed; nil before the prefix is there.
  package var announced: (length: Int, isCompressed: Bool)? { assembler.announced }
  /// Whether the client may still send frames on the stream.
  package var requestIsOpen: Bool { !endStreamSeen }

  /// Takes the payload of a DATA frame; ask ``nextEvent()`` until it returns nil. False when the payload was dropped.
  package mutating func receive(_ payload: ByteBuffer, endStream: Bool) -> Bool {
    if endStream { endStreamSeen = true }
    guard request == .open else { return false }
    assembler.append(payload)
    if endStream { request = .ending }
    return true
  }

  /// Takes a second block of header fields, which can only end the request.
  package mutating func receiveTrailers() {
    endStreamSeen = true
    if request == .open { request = .ending }
  }

  /// The next consequence of what was received.
  package mutating func nextEvent() -> Event? {
    guard request != .closed else { return nil }
    do throws(CallFault) {
      if let message = try assembler.next() { return .message(message) }
      if request == .ending {
        request = .closed
        try assembler.finish()
        return .requestEnded
      }
    } catch {
      request = .closed
      return .fault(error)
    }
    let credit = assembler.creditForPartial()
    return credit > 0 ? .credit(credit) : nil
  }

  /// The frame for the metadata at the start of the response.
  package mutating func send(metadata: Metadata) throws(RPCError) -> HeaderFields {
    guard response == .idle else { throw Self.misuse(isOver: response == .closed) }
    let headers = ResponseHeaderEncoder.initial(metadata: metadata, isGzip: compressesResponse)
    guard MetadataCoding.fitInOneFrame(headers) else {
      throw RPCError(code: .resourceExhausted, message: "the metadata of the response is larger than 16 KiB")
    }
    response = .open
    return headers
  }

  /// The payload for one message.
  package mutating func send(message: MessageBytes) throws(RPCError) -> ByteBuffer {
    guard response == .open else { throw Self.misuse(isOver: response == .closed) }
    guard compressesResponse else { return message.framed }
    return MessageBytes.frame(Gzip.compress(message.buffer), isCompressed: true)
  }

  /// The frame that ends the response.
  package mutating func send(status: Status, metadata: Metadata) throws(RPCError) -> HeaderFields {
    defer { response = .closed }
    switch response {
    case .idle: return ResponseHeaderEncoder.trailersOnly(status: status, metadata: metadata)
    case .open: return ResponseHeaderEncoder.trailers(status: status, metadata: metadata)
    case .closed: throw Self.misuse(isOver: true)
    }
  }

  /// Nobody reads the request any more: what follows is dropped. Returns the bytes of an incomplete message that were held.
  package mutating func abandonRequest() -> Int {
    request = .closed
    return assembler.discardPartial()
  }

  /// Ends both directions; returns the bytes of an incomplete message that were held.
  package mutating func abort() -> Int {
    request = .closed
    response = .closed
    endStreamSeen = true
    return assembler.discardPartial()
  }

  private static func misuse(isOver: Bool) -> RPCError {
    isOver
      ? RPCError(code: .cancelled, message: "the call is over; the client has its status or has gone")
      : RPCError(code: .internalError, message: "a response begins with its metadata, once")
  }
}
