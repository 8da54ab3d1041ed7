import NIOCore

/// Takes the framing off a container's output: each frame is a header of 8 bytes (stream, three zeros, length in 32 bits
/// big-endian) and that many bytes. Containers with a terminal send their output without frames, which is passed on as it is.
struct LogFrameDecoder: Sendable {
  private enum State {
    case header
    case payload(remaining: Int)
    case unframed
  }

  private var state = State.header
  private var buffer = ByteBuffer()

  init() {}

  /// Takes the next bytes of the stream and returns the output in them. Never holds more than one header back.
  mutating func feed(_ bytes: ByteBuffer) -> ByteBuffer {
    buffer.writeImmutableBuffer(bytes)
    var output = ByteBuffer()
    while step(into: &output) {}
    buffer.discardReadBytes()
    return output
  }

  private mutating func step(into output: inout ByteBuffer) -> Bool {
    switch state {
    case .unframed:
      output.writeBuffer(&buffer)
      return false
    case .payload(let remaining):
      guard var piece = buffer.readSlice(length: min(remaining, buffer.readableBytes)) else { return false }
      let rest = remaining - piece.readableBytes
      output.writeBuffer(&piece)
      state = rest == 0 ? .header : .payload(remaining: rest)
      return rest == 0
    case .header:
      return readHeader()
    }
  }

  private mutating func readHeader() -> Bool {
    let start = buffer.readerIndex
    guard buffer.readableBytes >= 8, let marker = buffer.getInteger(at: start, as: UInt32.self),
      let length = buffer.getInteger(at: start + 4, as: UInt32.self)
    else { return false }
    guard marker & 0x00ff_ffff == 0, marker >> 24 <= 3 else {
      state = .unframed
      return true
    }
    buffer.moveReaderIndex(forwardBy: 8)
    state = length == 0 ? .header : .payload(remaining: Int(length))
    return true
  }
}

/// The end of a long text, in bounded memory.
struct TextTail: Sendable {
  private let limit: Int
  private var buffer = ByteBuffer()
  private var isCut = false

  /// Keeps the last `limit` bytes.
  init(limit: Int) {
    self.limit = limit
  }

  mutating func append(_ bytes: ByteBuffer) {
    buffer.writeImmutableBuffer(bytes)
    guard buffer.readableBytes > limit else { return }
    buffer.moveReaderIndex(forwardBy: buffer.readableBytes - limit)
    buffer.discardReadBytes()
    isCut = true
  }

  /// The last `count` whole lines, oldest first; bytes that are not UTF-8 are replaced.
  func lines(last count: Int) -> [String] {
    var text = String(buffer: buffer)[...]
    if isCut, let end = text.firstIndex(where: \.isNewline), text.index(after: end) != text.endIndex { text = text[end...] }
    return text.split(whereSeparator: \.isNewline).suffix(count).map(String.init)
  }
}
