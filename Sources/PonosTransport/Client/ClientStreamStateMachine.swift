package import GRPCCore
package import NIOCore

/// The life of one call as a client sees it: parts in, frames out; frames in, events for the caller out.
package struct ClientStreamStateMachine: Sendable {
  /// Something for the caller, or for the connection on behalf of the call.
  package enum Event: Sendable {
    case metadata(Metadata)
    case message(MessageAssembler.Message)
    /// Flow-control credit to return at once.
    case credit(Int)
    /// The call is over; nothing follows.
    case status(Status, Metadata)
  }

  private enum Request {
    /// Nothing has been sent.
    ///
    /// Can transition to ``open``, ``closed``.
    case idle
    /// The header fields have been sent; messages may follow.
    ///
    /// Can transition to ``closed``.
    case open
    /// The request is complete, or the call was aborted.
    ///
    /// This state is terminal.
    case closed
  }

  private enum Response {
    /// No header fields have arrived, except interim ones.
    ///
    /// Can transition to ``open``, ``ending``, ``closed``.
    case idle
    /// The first header fields have arrived; messages may follow.
    ///
    /// Can transition to ``ending``, ``closed``.
    case open
    /// The header fields that end the response have arrived; messages before them may still have to be taken.
    ///
    /// Can transition to ``closed``.
    case ending(Status, Metadata)
    /// The caller knows how the call ended.
    ///
    /// This state is terminal.
    case closed
  }

  private var request = Request.idle
  private var response = Response.idle
  private var metadata: Metadata?
  private var assembler: MessageAssembler
  private let compressesRequest: Bool
  private let maxRequestBytes: Int
  /// Whether the server may still send frames on the stream.
  package private(set) var serverMaySend = true

  /// - Parameters:
  ///   - maxMessageBytes: largest message of the response, in bytes.
  ///   - maxRequestBytes: largest message of the request, in bytes.
  ///   - compressesRequest: whether messages of the request are sent compressed with gzip.
  package init(maxMessageBytes: Int, maxRequestBytes: Int = .max, compressesRequest: Bool) {
    assembler = MessageAssembler(maxMessageBytes: maxMessageBytes)
    self.maxRequestBytes = maxRequestBytes
    self.compressesRequest = compressesRequest
  }

  /// Largest message accepted, in bytes, before and after decompression.
  package var maxMessageBytes: Int { assembler.maxMessageBytes }

  /// Whether the caller knows how the call ended.
  package var isAnswered: Bool {
    if case .closed = response { true } else { false }
  }

  /// Whether the request has not begun, and may.
  package var isIdle: Bool { request == .idle }

  /// Whether the request is complete.
  package var requestIsComplete: Bool { request == .closed }

  // MARK: Request

  /// The header fields of the request: those every call of its method has, and those of this one.
  package mutating func begin(_ headers: HeaderFields, metadata: Metadata) throws(RPCError) -> HeaderFields {
    guard request == .idle else { throw misuse }
    var headers = headers
    if compressesRequest { headers.add(name: "grpc-encoding", value: "gzip") }
    if !metadata.isEmpty {
      MetadataCoding.append(metadata, to: &headers)
      guard MetadataCoding.fitInOneFrame(headers) else {
        throw RPCError(code: .resourceExhausted, message: "the metadata of the request is larger than 16 KiB")
      }
    }
    request = .open
    return headers
  }

  /// The payload for one message.
  package mutating func send(message: MessageBytes) throws(RPCError) -> ByteBuffer {
    guard request == .open else { throw misuse }
    guard message.count <= maxRequestBytes else {
      let limit = "\(CallFault.oversizedMessage) of \(maxRequestBytes) bytes"
      throw RPCError(code: .resourceExhausted, message: "\(limit): the request has \(message.count)")
    }
    guard compressesRequest else { return message.framed }
    return MessageBytes.frame(Gzip.compress(message.buffer), isCompressed: true)
  }

  /// Ends the request; false when it had ended before or never begun.
  package mutating func finishRequest() -> Bool {
    guard request == .open else { return false }
    request = .closed
    return true
  }

  // MARK: Response

  /// Takes a block of header fields; ask ``nextEvent()`` until it returns nil.
  package mutating func receive(_ headers: HeaderFields, endStream: Bool) {
    if endStream { serverMaySend = false }
    switch response {
    case .idle: receiveFirst(ParsedResponse(first: headers, endStream: endStream))
    case .open: receiveFirst(ParsedResponse(trailers: headers))
    case .ending, .closed: return
    }
  }

  /// Takes the payload of a DATA frame; ask ``nextEvent()`` until it returns nil. False when the payload was dropped.
  package mutating func receive(_ payload: ByteBuffer, endStream: Bool) -> Bool {
    if endStream { serverMaySend = false }
    switch response {
    case .open:
      assembler.append(payload)
      if endStream { response = .ending(Self.noTrailers, [:]) }
      return true
    case .idle:
      response = .ending(Status(code: .internalError, message: "the server sent a message before its header fields"), [:])
      return false
    case .ending, .closed:
      return false
    }
  }

  /// The next consequence of what was received.
  package mutating func nextEvent() -> Event? {
    if let metadata {
      self.metadata = nil
      return .metadata(metadata)
    }
    switch response {
    case .idle, .closed: return nil
    case .open, .ending: break
    }
    do throws(CallFault) {
      if let message = try assembler.next() { return .message(message) }
      if case .ending(let status, let metadata) = response {
        if status.code == .ok { try assembler.finish() }
        return end(status, metadata)
      }
    } catch {
      return end(error.status, [:])
    }
    let credit = assembler.creditForPartial()
    return credit > 0 ? .credit(credit) : nil
  }

  /// Ends both directions with a fault of the transport's own; nil when the caller knows the end already.
  package mutating func abort(_ fault: CallFault) -> Event? {
    request = .closed
    serverMaySend = false
    return isAnswered ? nil : end(fault.status, [:])
  }

  /// Drops the message in the making; returns its length.
  package mutating func discardPartial() -> Int { assembler.discardPartial() }

  private mutating func receiveFirst(_ head: ParsedResponse) {
    switch head {
    case .interim:
      return
    case .initial(let metadata, let isGzip):
      self.metadata = metadata
      assembler.acceptsGzip = isGzip
      response = .open
    case .final(let status, let metadata):
      response = .ending(status, metadata)
    }
  }

  private mutating func end(_ status: Status, _ metadata: Metadata) -> Event {
    response = .closed
    return .status(status, metadata)
  }

  /// Why a part cannot be sent.
  package var misuse: RPCError {
    request == .closed
      ? RPCError(code: .cancelled, message: "the request is complete or the call is over")
      : RPCError(code: .internalError, message: "a request begins with its metadata, once")
  }

  private static var noTrailers: Status {
    Status(code: .internalError, message: "the server ended the call without a status")
  }
}
