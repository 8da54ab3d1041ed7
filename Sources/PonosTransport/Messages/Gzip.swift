import CZlib
package import NIOCore

/// Compression of whole messages in the gzip format (RFC 1952).
package enum Gzip {
  /// Why bytes could not be decompressed.
  package enum Failure: Error, Equatable, Sendable {
    /// Not a complete gzip stream, or a wrong checksum.
    case malformed
    /// The result would exceed the limit; the rest was not decompressed.
    case tooLarge
  }

  /// `payload` as one gzip stream.
  package static func compress(_ payload: ByteBuffer) -> ByteBuffer {
    var stream = CZlib_Stream()
    precondition(CZlib_beginGzip(&stream) == Z_OK, "zlib could not allocate its state")
    defer { CZlib_endGzip(&stream) }
    var output = ByteBuffer()
    let bound = CZlib_gzipBound(&stream, payload.readableBytes)
    output.writeWithUnsafeMutableBytes(minimumWritableBytes: bound) { space in
      payload.withUnsafeReadableBytes { input in
        var written = 0
        let result = CZlib_gzip(&stream, input.baseAddress, input.count, space.baseAddress, space.count, &written)
        precondition(result == Z_STREAM_END, "zlib needed more room than it promised")
        return written
      }
    }
    return output
  }

  /// The content of a gzip stream of at most `limit` bytes; memory beyond that is never allocated.
  package static func decompress(_ payload: ByteBuffer, limit: Int) throws(Failure) -> ByteBuffer {
    var stream = CZlib_Stream()
    precondition(CZlib_beginGunzip(&stream) == Z_OK, "zlib could not allocate its state")
    defer { CZlib_endGunzip(&stream) }
    var output = ByteBuffer()
    var input = payload
    while true {
      let room = min(max(1_024, 2 * payload.readableBytes, output.readableBytes), limit - output.readableBytes + 1)
      let (result, consumed, written) = step(&stream, input: input, output: &output, room: room)
      input.moveReaderIndex(forwardBy: consumed)
      guard output.readableBytes <= limit else { throw .tooLarge }
      if result == Z_STREAM_END {
        guard input.readableBytes == 0 else { throw .malformed }
        return output
      }
      // Room that is left over means that the input has ended too early.
      guard result == Z_OK, written == room else { throw .malformed }
    }
  }

  /// Inflates into at most `room` more bytes of `output`; returns zlib's verdict and the numbers of bytes read and written.
  private static func step(
    _ stream: inout CZlib_Stream, input: ByteBuffer, output: inout ByteBuffer, room: Int
  ) -> (result: Int32, consumed: Int, written: Int) {
    var (result, consumed, written) = (Z_OK, 0, 0)
    output.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { space in
      input.withUnsafeReadableBytes { bytes in
        result = CZlib_gunzip(&stream, bytes.baseAddress, bytes.count, space.baseAddress, room, &consumed, &written)
      }
      return written
    }
    return (result, consumed, written)
  }
}
