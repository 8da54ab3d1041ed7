import Glibc

/// Ports of 127.0.0.1 that nobody listens on.
///
/// They lie below those that the system gives to connections (32768 and up), so that no connection of other tests takes one before its
/// daemon listens, or while it is down.
enum FreePorts {
  private static let range = 20_000..<32_000
  /// Ports that are tried before there are said to be none.
  private static let tries = 1_000

  /// `count` different ports. They are bound together, so that none is given twice, and free again when this returns.
  static func find(_ count: Int) throws -> [Int] {
    var descriptors: [Int32] = []
    defer { for descriptor in descriptors { close(descriptor) } }
    var ports: [Int] = []
    for _ in 0..<tries where ports.count < count {
      let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      guard descriptor >= 0 else {
        throw DidNotHappen(description: "no socket could be opened: \(String(cString: strerror(errno)))")
      }
      descriptors.append(descriptor)
      let port = Int.random(in: range)
      if bind(descriptor, to: port) { ports.append(port) }
    }
    guard ports.count == count else {
      throw DidNotHappen(description: "\(count) free ports among \(range) should have been found")
    }
    return ports
  }

  private static func bind(_ descriptor: Int32, to port: Int) -> Bool {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
    address.sin_port = UInt16(port).bigEndian
    return withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        Glibc.bind(descriptor, generic, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
  }
}
