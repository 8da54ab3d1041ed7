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

  /// Takes the next frame, if all of it is there.
  static func read(from bytes: inout ByteBuffer) -> (kind: UInt8, stream: UInt32, payload: ByteBuffer)? {
    guard
      let head = bytes.readInteger(as: UInt32.self), bytes.readInteger(as: UInt8.self) != nil,
      let stream = bytes.readInteger(as: UInt32.self), let payload = bytes.readSlice(length: Int(head >> 8))
    else { return nil }
    return (UInt8(truncatingIfNeeded: head), stream, payload)
  }

  /// The frames in `bytes`.
  static func all(_ bytes: ByteBuffer) -> [(kind: UInt8, stream: UInt32, payload: ByteBuffer)] {
    var rest = bytes
    var frames: [(UInt8, UInt32, ByteBuffer)] = []
    while let frame = read(from: &rest) { frames.append(frame) }
    return frames
  }

  /// The types of the frames in `bytes`, and the bytes.
  static func kinds(_ bytes: ByteBuffer) -> (kinds: [UInt8], bytes: ByteBuffer) {
    (all(bytes).map(\.kind), bytes)
  }
}
