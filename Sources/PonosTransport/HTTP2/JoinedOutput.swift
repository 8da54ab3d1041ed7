import NIOCore

/// Bytes on their way to the channel: frames and small payloads joined, large payloads in between as they are.
///
/// Joined, the frames of one turn are one entry in the channel's list of writes and, with TLS, one record.
struct JoinedOutput {
  /// Payloads of more bytes leave in storage of their own: copying them costs more than it saves.
  private static let maxCopied = 4 << 10
  /// Largest memory that is kept for the next turn.
  private static let maxKept = 4 << 10

  private var pieces: [ByteBuffer] = []
  private var joined = ByteBuffer()
  /// Bytes since the last ``take()``.
  private(set) var count = 0

  /// Begins a turn. The memory of the one before serves again, unless the channel still holds it or it is much: a connection may be
  /// idle for long.
  mutating func begin() {
    if joined.storageCapacity > Self.maxKept { joined = ByteBuffer() } else { joined.clear() }
  }

  /// Adds bytes that are copied.
  mutating func append(copying bytes: UnsafeBufferPointer<UInt8>) {
    joined.writeBytes(bytes)
    count += bytes.count
  }

  /// Adds a payload.
  mutating func append(_ payload: ByteBuffer) {
    count += payload.readableBytes
    if payload.readableBytes <= Self.maxCopied {
      joined.writeImmutableBuffer(payload)
    } else {
      cut()
      pieces.append(payload)
    }
  }

  /// Hands out what there is, in order.
  mutating func take() -> [ByteBuffer] {
    cut()
    count = 0
    defer { pieces.removeAll(keepingCapacity: true) }
    return pieces
  }

  private mutating func cut() {
    guard joined.readableBytes > 0 else { return }
    pieces.append(joined)
    joined.moveReaderIndex(to: joined.writerIndex)
  }
}
