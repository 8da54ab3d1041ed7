import GRPCCore
package import NIOCore

/// The bytes of one serialized message, with room for the gRPC prefix already in front of them.
///
/// A serializer writes the message straight behind its five-byte prefix, so framing an uncompressed message moves an index
/// and copies nothing.
package struct MessageBytes: GRPCContiguousBytes, Hashable, Sendable {
  /// Length of the prefix before every message: a compression flag and the length as a 32-bit big-endian number.
  package static let prefixLength = 5

  /// The message; its reader index is at the first byte of the message, behind a prefix if ``isPrefixed``.
  private var storage: ByteBuffer
  /// Whether the five bytes before the reader index are the prefix of exactly this message.
  private var isPrefixed: Bool
  /// Whether the bytes are still compressed as they arrived; no reader ever sees such a message.
  package let isCompressed: Bool

  /// Bytes received from a peer.
  package init(received buffer: ByteBuffer, isCompressed: Bool = false) {
    storage = buffer
    isPrefixed = false
    self.isCompressed = isCompressed
  }

  package init(repeating byte: UInt8, count: Int) {
    storage = ByteBuffer()
    storage.reserveCapacity(count + Self.prefixLength)
    storage.writeInteger(UInt8(0))
    storage.writeInteger(UInt32(clamping: count))
    storage.writeRepeatingByte(byte, count: count)
    storage.moveReaderIndex(forwardBy: Self.prefixLength)
    isPrefixed = true
    isCompressed = false
  }

  package init(_ sequence: some Sequence<UInt8>) {
    storage = ByteBuffer()
    storage.reserveCapacity(sequence.underestimatedCount + Self.prefixLength)
    storage.writeRepeatingByte(0, count: Self.prefixLength)
    let count = storage.writeBytes(sequence)
    storage.setInteger(UInt32(clamping: count), at: 1)
    storage.moveReaderIndex(forwardBy: Self.prefixLength)
    isPrefixed = true
    isCompressed = false
  }

  package var count: Int { storage.readableBytes }

  /// The same message, in storage of its own if it lies in a much larger read; for a message that has to wait.
  package func withoutExcessStorage() -> MessageBytes {
    MessageBytes(received: storage.withoutExcessStorage(), isCompressed: isCompressed)
  }

  /// Bytes of memory that the message keeps.
  package var storedBytes: Int { storage.storageCapacity }

  /// The content of a message that arrived compressed. To be asked for when the message is read: what waits to be read is limited by
  /// what the peer sent, and a few bytes of gzip may stand for megabytes.
  package func decompressed(_ limits: DecompressionLimits) throws(CallFault) -> MessageBytes {
    do throws(Gzip.Failure) {
      return MessageBytes(received: try Gzip.decompress(storage, limit: limits.bytes(forCompressed: count)))
    } catch {
      switch error {
      case .tooLarge: throw limits.fault(forCompressed: count)
      case .malformed: throw CallFault(.internalError, "a compressed message is not valid gzip")
      }
    }
  }

  /// The message without its prefix.
  package var buffer: ByteBuffer { storage }

  /// The message behind its prefix, uncompressed, as it goes into DATA frames.
  package var framed: ByteBuffer {
    guard isPrefixed else { return Self.frame(storage, isCompressed: false) }
    var framed = storage
    framed.moveReaderIndex(to: storage.readerIndex - Self.prefixLength)
    return framed
  }

  /// `payload` behind a prefix; copies it.
  package static func frame(_ payload: ByteBuffer, isCompressed: Bool) -> ByteBuffer {
    var framed = ByteBuffer()
    framed.reserveCapacity(payload.readableBytes + prefixLength)
    framed.writeInteger(UInt8(isCompressed ? 1 : 0))
    framed.writeInteger(UInt32(clamping: payload.readableBytes))
    framed.writeImmutableBuffer(payload)
    return framed
  }

  package func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    try storage.withUnsafeReadableBytes(body)
  }

  package mutating func withUnsafeMutableBytes<R>(_ body: (UnsafeMutableRawBufferPointer) throws -> R) rethrows -> R {
    try storage.withUnsafeMutableReadableBytes(body)
  }

  package static func == (left: Self, right: Self) -> Bool { left.storage == right.storage }
  package func hash(into hasher: inout Hasher) { hasher.combine(storage) }
}
