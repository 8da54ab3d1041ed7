package import NIOCore

/// Walks the frames of one direction of an HTTP/2 connection and takes the PING requests out of them.
///
/// Everything else passes through byte for byte, including PINGs that are malformed or out of place: judging those is the
/// business of the HTTP/2 implementation above. Bytes may arrive cut at any place.
package struct PingScanner: Sendable {
  /// What the scanner found next.
  package enum Finding: Equatable, Sendable {
    /// Bytes for the HTTP/2 implementation, unchanged.
    case pass(ByteBuffer)
    /// A PING request with its eight opaque bytes; it is not passed on and wants an acknowledgement.
    case ping(UInt64)
  }

  /// Length of the text a client opens an HTTP/2 connection with (RFC 9113 section 3.4).
  static let clientPrefaceLength = 24
  static let frameHeaderLength = 9
  static let pingLength = 8
  static let pingType: UInt8 = 0x06
  static let acknowledgement: UInt8 = 0x01

  /// Bytes, counted from the scan position, that belong to the preface or to a frame already judged.
  private var skip: Int
  private var pending = ByteBuffer()
  private var previous = Previous.none

  /// What went before, as far as it decides whether a PING is in a legal place.
  private enum Previous {
    /// Nothing yet: the first frame of a connection has to be SETTINGS.
    case none
    case completeFrame
    /// HEADERS, PUSH_PROMISE or CONTINUATION without END_HEADERS: only CONTINUATION may follow.
    case openHeaderBlock
  }

  /// A scanner of bytes sent by a client (which begin with the connection preface) or by a server.
  package init(ofClientBytes: Bool) {
    skip = ofClientBytes ? Self.clientPrefaceLength : 0
  }

  /// Adds bytes from the network; call ``next()`` until it returns nil before adding more.
  package mutating func append(_ bytes: ByteBuffer) {
    if pending.readableBytes == 0 {
      pending = bytes
    } else {
      pending.writeImmutableBuffer(bytes)
    }
  }

  /// The next finding in order, or nil when more bytes are needed. Holds back at most sixteen bytes.
  package mutating func next() -> Finding? {
    var position = pending.readerIndex
    let end = pending.writerIndex
    while true {
      let passed = min(skip, end - position)
      position += passed
      skip -= passed
      guard skip == 0, let header = FrameHeader(in: pending, at: position) else { break }
      if isAnswerable(header) {
        guard position == pending.readerIndex else { break }
        return takePing()
      }
      note(header)
      skip = Self.frameHeaderLength + header.length
    }
    return take(upTo: position)
  }

  private func isAnswerable(_ header: FrameHeader) -> Bool {
    header.type == Self.pingType && header.flags & Self.acknowledgement == 0
      && header.length == Self.pingLength && header.stream == 0 && previous == .completeFrame
  }

  private mutating func note(_ header: FrameHeader) {
    previous = header.leavesHeaderBlockOpen ? .openHeaderBlock : .completeFrame
  }

  private mutating func takePing() -> Finding? {
    guard pending.readableBytes >= Self.frameHeaderLength + Self.pingLength else { return nil }
    pending.moveReaderIndex(forwardBy: Self.frameHeaderLength)
    return pending.readInteger(as: UInt64.self).map(Finding.ping)
  }

  private mutating func take(upTo position: Int) -> Finding? {
    guard position > pending.readerIndex else { return nil }
    guard position < pending.writerIndex else {
      defer { pending = ByteBuffer() }
      return .pass(pending)
    }
    return pending.readSlice(length: position - pending.readerIndex).map(Finding.pass)
  }
}

/// The nine bytes before every HTTP/2 frame (RFC 9113 section 4.1).
private struct FrameHeader {
  let length: Int
  let type: UInt8
  let flags: UInt8
  let stream: UInt32

  /// Nil when fewer than nine bytes are there.
  init?(in buffer: ByteBuffer, at index: Int) {
    guard
      let lengthAndType = buffer.getInteger(at: index, as: UInt32.self),
      let flags = buffer.getInteger(at: index + 4, as: UInt8.self),
      let stream = buffer.getInteger(at: index + 5, as: UInt32.self)
    else { return nil }
    length = Int(lengthAndType >> 8)
    type = UInt8(truncatingIfNeeded: lengthAndType)
    self.flags = flags
    self.stream = stream & 0x7fff_ffff
  }

  /// True for HEADERS (1), PUSH_PROMISE (5) and CONTINUATION (9) without the END_HEADERS flag.
  var leavesHeaderBlockOpen: Bool {
    (type == 1 || type == 5 || type == 9) && flags & 0x04 == 0
  }
}
