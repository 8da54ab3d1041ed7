import NIOCore

/// Cuts a stream of bytes into lines: the engine's event, pull and build streams are one JSON object a line.
struct LineSplitter: Sendable {
  /// Longest line kept, in bytes; a longer one is an error, since nothing the engine says is that long.
  let limit: Int
  private var buffer = ByteBuffer()

  init(limit: Int = 1 << 20) {
    self.limit = limit
  }

  /// Takes the next bytes and returns the lines they complete, without line ends and empty lines.
  mutating func feed(_ bytes: ByteBuffer) throws(DockerError) -> [ByteBuffer] {
    buffer.writeImmutableBuffer(bytes)
    var lines: [ByteBuffer] = []
    while let end = buffer.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) {
      let line = buffer.readSlice(length: end - buffer.readerIndex)
      buffer.moveReaderIndex(forwardBy: 1)
      if let line = line.map(Self.trimmed), line.readableBytes > 0 { lines.append(line) }
    }
    buffer.discardReadBytes()
    guard buffer.readableBytes <= limit else {
      throw DockerError(.malformedReply, "Docker sent a line of more than \(limit) bytes")
    }
    return lines
  }

  /// The line that ended without a line end; nil when there is none.
  mutating func finish() -> ByteBuffer? {
    let rest = Self.trimmed(buffer)
    buffer.clear()
    return rest.readableBytes > 0 ? rest : nil
  }

  private static func trimmed(_ line: ByteBuffer) -> ByteBuffer {
    var line = line
    if line.readableBytesView.last == UInt8(ascii: "\r") { line.moveWriterIndex(to: line.writerIndex - 1) }
    return line
  }
}
