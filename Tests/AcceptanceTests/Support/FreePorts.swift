import Glibc

/// Ports of 127.0.0.1 that nobody listens on.
enum FreePorts {
  struct SocketFailure: Error {
    let call: String
    let code: Int32
  }

  /// `count` different ports. They are bound together, so that none is given twice, and free again when this returns.
  static func find(_ count: Int) throws -> [Int] {
    var descriptors: [Int32] = []
    defer { for descriptor in descriptors { close(descriptor) } }
    return try (0..<count).map { _ in
      let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      guard descriptor >= 0 else { throw SocketFailure(call: "socket", code: errno) }
      descriptors.append(descriptor)
      return try bindToAnyPort(descriptor)
    }
  }

  private static func bindToAnyPort(_ descriptor: Int32) throws -> Int {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    try withUnsafeMutablePointer(to: &address) { pointer in
      try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        guard bind(descriptor, generic, length) == 0 else { throw SocketFailure(call: "bind", code: errno) }
        guard getsockname(descriptor, generic, &length) == 0 else { throw SocketFailure(call: "getsockname", code: errno) }
      }
    }
    return Int(UInt16(bigEndian: address.sin_port))
  }
}
