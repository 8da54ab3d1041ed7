import Glibc

/// An HTTP/2 client that sends frames byte by byte, to see what a server makes of frames that no library would send.
///
/// Blocking; for a few frames on loopback.
struct RawHTTP2Connection: ~Copyable {
  struct Frame {
    let type: UInt8
    let flags: UInt8
    let payload: [UInt8]
  }

  enum FrameType {
    static let settings: UInt8 = 4
    static let ping: UInt8 = 6
    static let goAway: UInt8 = 7
  }

  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  private let descriptor: Int32

  /// Connects and exchanges the opening frames.
  init(port: Int) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
    address.sin_port = UInt16(port).bigEndian
    let status = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard status == 0 else { throw Failure(description: "connect to port \(port): errno \(errno)") }
    var limit = timeval(tv_sec: 5, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    try write(Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8))
    try send(type: FrameType.settings)
    while try receive().type != FrameType.settings {}
    try send(type: FrameType.settings, flags: 1)
  }

  deinit { close(descriptor) }

  func ping(_ number: UInt64) throws {
    try send(type: FrameType.ping, payload: withUnsafeBytes(of: number.bigEndian, Array.init))
  }

  /// The next frame; throws when none comes for 5 s, or the server hangs up.
  func receive() throws -> Frame {
    let header = try read(9)
    let length = Int(header[0]) << 16 | Int(header[1]) << 8 | Int(header[2])
    return Frame(type: header[3], flags: header[4], payload: try read(length))
  }

  private func send(type: UInt8, flags: UInt8 = 0, payload: [UInt8] = []) throws {
    let length = payload.count
    try write(
      [UInt8(truncatingIfNeeded: length >> 16), UInt8(truncatingIfNeeded: length >> 8), UInt8(truncatingIfNeeded: length)]
        + [type, flags, 0, 0, 0, 0] + payload)
  }

  private func write(_ bytes: [UInt8]) throws {
    guard Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
      throw Failure(description: "the server closed the connection: errno \(errno)")
    }
  }

  private func read(_ count: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
      let got = bytes.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress?.advanced(by: filled), count - filled, 0) }
      guard got > 0 else {
        throw Failure(description: got == 0 ? "the server closed the connection" : "nothing came: errno \(errno)")
      }
      filled += got
    }
    return bytes
  }
}
