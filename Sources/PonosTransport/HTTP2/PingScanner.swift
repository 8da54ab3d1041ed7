package import NIOCore

/// Walks the frames of one direction of an HTTP/2 connection and takes the PING requests out of them.
///
/// Everything else passes through byte for byte, including PINGs that are malformed or out of place: judging those is the
/// business of the HTTP/2 implementation above. Bytes may arrive cut at any place.
///
/// What passes ends where that implementation keeps nothing: behind a whole frame, or inside the payload of DATA, which is handed
/// on as it arrives. It collects what it cannot use yet in a buffer that it only empties when nothing is left over, so a peer whose
/// packets always end inside a frame would fill memory. So incomplete frames wait here, in a buffer of their size.
package struct PingScanner: Sendable {
  /// What the scanner found next.
  package enum Finding: Equatable, Sendable {
    /// Bytes for the HTTP/2 implementation, unchanged.
    case pass(ByteBuffer)
    /// A PING request with its eight opaque bytes; it is not passed on and wants an acknowledgement.
    case ping(UInt64)
  }

  /// Frames that have passed since they were last counted.
  package struct Counts: Equatable, Sendable {
    /// RST_STREAM.
    package var resets = 0
    /// SETTINGS and PRIORITY, acknowledgements of SETTINGS and PING, ALTSVC and ORIGIN.
    package var control = 0
  }

  /// Length of the text a client opens an HTTP/2 connection with (RFC 9113 section 3.4).
  static let clientPrefaceLength = 24
  static let frameHeaderLength = 9
  static let pingLength = 8
  static let pingType: UInt8 = 0x06
  static let acknowledgement: UInt8 = 0x01
  /// Frames of the longest header block that is waited for: one more than swift-nio-http2 takes.
  static let maxHeaderBlockFrames = 7
  /// Padding of a frame with the byte that names its length.
  static let maxPadding = 256

  /// Largest payload of a frame or header block that is waited for, in bytes.
  package let maxPayload: Int

  /// Bytes, counted from the scan position, that belong to the preface or to a frame already judged.
  private var skip: Int
  private var pending = ByteBuffer()
  /// Whether `pending` has storage of its own, as opposed to that of the read it came with.
  private var ownsPending = false
  private var previous = Previous.none
  private var counts = Counts()
  /// A frame has come that is certain to be refused, so that no order is left to keep: what follows is passed on unread.
  package private(set) var isHopeless = false

  /// What went before, as far as it decides whether a PING is in a legal place.
  private enum Previous {
    /// Nothing yet: the first frame of a connection has to be SETTINGS.
    case none
    case completeFrame
  }

  /// What is at a border between frames.
  private enum Unit {
    /// Less than can be passed on.
    case incomplete
    case ping
    /// So many bytes that belong together; all of them are there, or the rest may follow later.
    case bytes(Int)
    /// Nothing that HTTP/2 allows here.
    case hopeless
  }

  /// A scanner of bytes sent by a client (which begin with the connection preface) or by a server.
  ///
  /// - Parameter maxPayload: the largest payload the HTTP/2 implementation takes, of frames and of header blocks.
  package init(ofClientBytes: Bool, maxPayload: Int = 1 << 14) {
    skip = ofClientBytes ? Self.clientPrefaceLength : 0
    self.maxPayload = maxPayload
  }

  /// Bytes of memory that what waits takes.
  package var storedBytes: Int { pending.storageCapacity }

  /// Adds bytes from the network; call ``next()`` until it returns nil before adding more.
  package mutating func append(_ bytes: ByteBuffer) {
    ownsPending = pending.readableBytes > 0
    pending.appendToRest(bytes)
  }

  /// The next finding in order, or nil when more bytes are needed. Holds back less than one frame or header block.
  package mutating func next() -> Finding? {
    var position = pending.readerIndex
    let end = pending.writerIndex
    scan: while true {
      let passed = min(skip, end - position)
      position += passed
      skip -= passed
      guard skip == 0 else { break }
      switch isHopeless ? .hopeless : unit(at: position) {
      case .incomplete:
        break scan
      case .ping:
        if position == pending.readerIndex { return takePing() }
        break scan
      case .bytes(let count):
        note(typeAt: position)
        previous = .completeFrame
        skip = count
      case .hopeless:
        isHopeless = true
        position = end
        break scan
      }
    }
    return take(upTo: position)
  }

  /// What was counted since the last call.
  package mutating func takeCounts() -> Counts {
    defer { counts = Counts() }
    return counts
  }

  private mutating func note(typeAt position: Int) {
    switch pending.getInteger(at: position + 3, as: UInt8.self) {
    case 3: counts.resets += 1
    case 2, 4, 6, 10, 12: counts.control += 1
    default: break
    }
  }

  private func unit(at start: Int) -> Unit {
    guard let first = FrameHeader(in: pending, at: start) else { return .incomplete }
    guard first.length <= maxPayload else { return .hopeless }
    let arrived = pending.writerIndex - start
    let length = Self.frameHeaderLength + first.length
    if first.isUnpaddedData {
      // Its payload is handed on as it arrives, its header alone would be kept.
      return arrived >= min(length, Self.frameHeaderLength + 1) ? .bytes(length) : .incomplete
    }
    guard arrived >= length else { return .incomplete }
    if isAnswerable(first) { return .ping }
    return first.leavesHeaderBlockOpen ? headerBlock(at: start, firstLength: length) : .bytes(length)
  }

  /// A header block passes when its last frame is there.
  private func headerBlock(at start: Int, firstLength: Int) -> Unit {
    var length = firstLength
    for _ in 1..<Self.maxHeaderBlockFrames {
      guard let next = FrameHeader(in: pending, at: start + length) else { return .incomplete }
      length += Self.frameHeaderLength + next.length
      // Padding of the first frame is not part of the block.
      guard
        next.isContinuation,
        length <= maxPayload + Self.maxPadding + Self.maxHeaderBlockFrames * Self.frameHeaderLength
      else {
        return .hopeless
      }
      guard pending.writerIndex - start >= length else { return .incomplete }
      if !next.leavesHeaderBlockOpen { return .bytes(length) }
    }
    return .hopeless
  }

  private func isAnswerable(_ header: FrameHeader) -> Bool {
    header.type == Self.pingType && header.flags & Self.acknowledgement == 0
      && header.length == Self.pingLength && header.stream == 0 && previous == .completeFrame
  }

  private mutating func takePing() -> Finding? {
    pending.moveReaderIndex(forwardBy: Self.frameHeaderLength)
    return pending.readInteger(as: UInt64.self).map(Finding.ping)
  }

  private mutating func take(upTo position: Int) -> Finding? {
    guard position > pending.readerIndex else {
      keepRest()
      return nil
    }
    guard position < pending.writerIndex else {
      defer { pending = ByteBuffer() }
      return .pass(pending)
    }
    return pending.readSlice(length: position - pending.readerIndex).map(Finding.pass)
  }

  /// Lets go of the read that the rest came with.
  private mutating func keepRest() {
    if ownsPending, pending.readerIndex == 0, pending.readableBytes > 0 { return }
    pending = pending.readableBytes > 0 ? ByteBuffer(buffer: pending) : ByteBuffer()
    ownsPending = true
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

  /// DATA (0) without the PADDED flag.
  var isUnpaddedData: Bool { type == 0 && flags & 0x08 == 0 }

  var isContinuation: Bool { type == 9 }

  /// True for HEADERS (1), PUSH_PROMISE (5) and CONTINUATION (9) without the END_HEADERS flag.
  var leavesHeaderBlockOpen: Bool {
    (type == 1 || type == 5 || type == 9) && flags & 0x04 == 0
  }
}
