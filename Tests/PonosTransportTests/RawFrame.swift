import NIOCore

/// Builds HTTP/2 frames byte by byte, so that tests can also send what no library would.
enum RawFrame {
  static func bytes(type: UInt8, flags: UInt8 = 0, stream: UInt32 = 0, payload: [UInt8] = []) -> ByteBuffer {
    var frame = ByteBuffer()
    frame.writeInteger(UInt32(payload.count) << 8 | UInt32(type))
    frame.writeInteger(flags)
    frame.writeInteger(stream)
    frame.writeBytes(payload)
    return frame
  }

  static func ping(_ opaque: UInt64, acknowledgement: Bool = false) -> ByteBuffer {
    bytes(type: 6, flags: acknowledgement ? 1 : 0, payload: withUnsafeBytes(of: opaque.bigEndian, Array.init))
  }
}
