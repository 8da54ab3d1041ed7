import NIOCore

extension ByteBuffer {
  /// The same bytes, in storage of their own if the storage they lie in is much larger than they are.
  ///
  /// A buffer that was cut out of another keeps all of it: one byte of a read of 64 KiB may hold 64 KiB for as long as nobody
  /// asks for it.
  func withoutExcessStorage() -> ByteBuffer {
    storageCapacity > 4 * readableBytes + 256 ? ByteBuffer(buffer: self) : self
  }

  /// Adds bytes behind those that wait for them.
  ///
  /// What was read from this buffer before is let go of first. Appending alone would keep it: a buffer that never happens to be
  /// empty would hold all that ever went through it.
  mutating func appendToRest(_ bytes: ByteBuffer) {
    if readableBytes == 0 {
      self = bytes
    } else {
      if readerIndex > 0 { self = ByteBuffer(buffer: self) }
      writeImmutableBuffer(bytes)
    }
  }
}
