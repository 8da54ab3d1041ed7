import Glibc
import GRPCCore
import NIOCore
import NIOPosix
import Synchronization

/// Looks host names up, and remembers the answer for a while.
final class HostResolver: Sendable {
  private let lifetime: TimeAmount
  private let threads: NIOThreadPool
  private let lookUp: @Sendable (_ host: String, _ port: Int) throws -> [SocketAddress]
  private let cached = Mutex<(addresses: [SocketAddress], until: NIODeadline)?>(nil)

  /// - Parameter lookUp: asks the system; blocks.
  init(
    lifetime: Duration, threads: NIOThreadPool = .singleton,
    lookUp: @escaping @Sendable (_ host: String, _ port: Int) throws -> [SocketAddress] = HostResolver.askSystem
  ) {
    self.lifetime = TimeAmount(lifetime)
    self.threads = threads
    self.lookUp = lookUp
  }

  /// The addresses of `host`, never none; the system has its own limit of time.
  func addresses(host: String, port: Int, on loop: any EventLoop) -> EventLoopFuture<[SocketAddress]> {
    if let address = try? SocketAddress(ipAddress: host, port: port) { return loop.makeSucceededFuture([address]) }
    if let known = cached.withLock({ $0 }), known.until > .now() { return loop.makeSucceededFuture(known.addresses) }
    let found = threads.runIfActive(eventLoop: loop) { [lookUp] in try lookUp(host, port) }
    found.whenSuccess { addresses in self.cached.withLock { $0 = (addresses, .now() + self.lifetime) } }
    return found
  }

  /// None of the remembered addresses works: looks the name up again next time.
  func forget() {
    cached.withLock { $0 = nil }
  }

  /// Blocks; returns each address once, in the order the system prefers.
  static func askSystem(host: String, port: Int) throws -> [SocketAddress] {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    let result = getaddrinfo(host, String(port), &hints, &list)
    defer { if let list { freeaddrinfo(list) } }
    guard result == 0 else {
      let reason = String(cString: gai_strerror(result))
      throw RPCError(code: .unavailable, message: "the name \(host) could not be looked up: \(reason)")
    }
    var found: [SocketAddress] = []
    var entry = list
    while let current = entry {
      if let address = socketAddress(current.pointee), !found.contains(address) { found.append(address) }
      entry = current.pointee.ai_next
    }
    guard !found.isEmpty else {
      throw RPCError(code: .unavailable, message: "the name \(host) has no IP address")
    }
    return found
  }

  private static func socketAddress(_ info: addrinfo) -> SocketAddress? {
    guard let pointer = info.ai_addr else { return nil }
    switch info.ai_family {
    case AF_INET:
      return pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { SocketAddress($0.pointee) }
    case AF_INET6:
      return pointer.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { SocketAddress($0.pointee) }
    default:
      return nil
    }
  }
}
