import Glibc
import PonosConfiguration

/// A port of the configuration that cannot be listened on, with its key.
package struct ListenerError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The configuration key of the port: `operations.port`.
  package let key: String
  /// Address and port, the cause and the cure.
  package let message: String

  package var description: String { "\(key): \(message)" }
}

/// Looks, before anything else is done, whether every port of the configuration can be listened on: a port that is taken is found before
/// keys are opened and containers started.
package enum ListenerCheck {
  /// One listener of the daemon.
  private struct Listener {
    let key: String
    let address: String
    let port: Int
  }

  /// Every port that cannot be listened on; empty when all can. A port that the system chooses is not looked at.
  package static func errors(_ config: ExecutorConfig) -> [ListenerError] {
    listeners(config).compactMap { listener in
      let problem = obstacle(listener)
      return problem.map { ListenerError(key: listener.key, message: describe($0, listener)) }
    }
  }

  private static func listeners(_ config: ExecutorConfig) -> [Listener] {
    var listeners = [
      Listener(key: "grpcPort", address: config.listenAddress, port: config.taskPort),
      Listener(key: "operations.port", address: config.operations.address, port: config.operations.port),
    ]
    if config.managementPort != config.taskPort {
      listeners.append(Listener(key: "managementServerGrpcPort", address: config.listenAddress, port: config.managementPort))
    }
    return listeners.filter { $0.port != 0 }
  }

  /// The number of the error that binding ends with; nil when it succeeds. Nothing listens afterwards.
  private static func obstacle(_ listener: Listener) -> Int32? {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return errno }
    defer { close(descriptor) }
    var reuse: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(UInt16(clamping: listener.port)).bigEndian
    guard inet_pton(AF_INET, listener.address, &address.sin_addr) == 1 else { return EADDRNOTAVAIL }
    let result = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    // A second listener of the same port may bind; the kernel says no only here.
    guard result == 0, listen(descriptor, 1) == 0 else { return errno }
    return nil
  }

  private static func describe(_ number: Int32, _ listener: Listener) -> String {
    let place = "\(listener.address):\(listener.port)"
    return switch number {
    case EADDRINUSE:
      "\(place) is taken by another program ('ss -ltnp sport = :\(listener.port)' names it); stop that one, or choose another port"
    case EADDRNOTAVAIL: "\(listener.address) is no address of this host; 'ip address' lists those there are"
    case EACCES: "this user may not listen on \(place); choose a port above 1023"
    default: "\(place) cannot be listened on: \(String(cString: strerror(number)))"
    }
  }
}

/// Every listener that cannot be opened, at least one.
package struct ListenerErrors: Error, Sendable, CustomStringConvertible {
  package let errors: [ListenerError]

  /// One line for each.
  package var description: String { errors.map(\.description).joined(separator: "\n") }
}
