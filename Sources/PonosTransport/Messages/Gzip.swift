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
    var stream = z_stream()
    precondition(CZlib_beginGzip(&stream) == Z_OK, "zlib could not allocate its state")
    defer { deflateEnd(&stream) }
    var output = ByteBuffer()
    let bound = Int(deflateBound(&stream, UInt(payload.readableBytes)))
    output.writeWithUnsafeMutableBytes(minimumWritableBytes: bound) { space in
      payload.withUnsafeReadableBytes { input in
        aim(&stream, from: input, to: space)
        let result = deflate(&stream, Z_FINISH)
        precondition(result == Z_STREAM_END, "zlib needed more room than it promised")
      }
      return Int(stream.total_out)
    }
    return output
  }

  /// The content of a gzip stream of at most `limit` bytes; memory beyond that is never allocated.
  package static func decompress(_ payload: ByteBuffer, limit: Int) throws(Failure) -> ByteBuffer {
    var stream = z_stream()
    precondition(CZlib_beginGunzip(&stream) == Z_OK, "zlib could not allocate its state")
    defer { inflateEnd(&stream) }
    var output = ByteBuffer()
    var input = payload
    while true {
      let room = min(max(1_024, 2 * payload.readableBytes, output.readableBytes), limit - output.readableBytes + 1)
      let (result, consumed) = step(&stream, input: input, output: &output, room: room)
      input.moveReaderIndex(forwardBy: consumed)
      guard output.readableBytes <= limit else { throw .tooLarge }
      if result == Z_STREAM_END {
        guard input.readableBytes == 0 else { throw .malformed }
        return output
      }
      let isStuck = stream.avail_out > 0
      guard result == Z_OK, !isStuck else { throw .malformed }
    }
  }

  /// Inflates into at most `room` more bytes of `output`; returns zlib's verdict and the number of bytes read.
  private static func step(
    _ stream: inout z_stream, input: ByteBuffer, output: inout ByteBuffer, room: Int
  ) -> (result: Int32, consumed: Int) {
    var result = Z_OK
    var consumed = 0
    output.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { space in
      input.withUnsafeReadableBytes { bytes in
        aim(&stream, from: bytes, to: UnsafeMutableRawBufferPointer(rebasing: space.prefix(room)))
        result = inflate(&stream, Z_NO_FLUSH)
        consumed = bytes.count - Int(stream.avail_in)
      }
      return room - Int(stream.avail_out)
    }
    return (result, consumed)
  }

  private static func aim(
    _ stream: inout z_stream, from input: UnsafeRawBufferPointer, to output: UnsafeMutableRawBufferPointer
  ) {
    stream.next_in = UnsafeMutablePointer(mutating: input.bindMemory(to: UInt8.self).baseAddress)
    stream.avail_in = UInt32(clamping: input.count)
    stream.next_out = output.bindMemory(to: UInt8.self).baseAddress
    stream.avail_out = UInt32(clamping: output.count)
  }
}
