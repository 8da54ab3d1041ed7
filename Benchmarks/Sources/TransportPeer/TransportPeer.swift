import Glibc
import GRPCCore
import PonosTransport

/// The Swift peer of the transport benchmark: `serve`, `unary`, `chat` or `connect`, over our transport (`own`), over ours with handlers
/// on Swift's thread pool (`own-pool`), or over the library's (`library`).
///
/// A server prints its port, then its processor time for each line of its input. A client prints one line: calls per second, mean
/// latency in microseconds, processor time of this process in microseconds per call.
@main
enum TransportPeer {
  static func main() async throws {
    let arguments = Array(CommandLine.arguments.dropFirst())
    guard arguments.count >= 3, let kind = TransportKind(rawValue: arguments[1]), let port = Int(arguments[2]) else {
      usage()
    }
    if arguments[0] == "serve" { return try await PeerServer.run(kind, port: port) }
    guard let mode = Load.Mode(rawValue: arguments[0]),
      let load = Load(mode, kind: kind, port: port, numbers: arguments.dropFirst(3).compactMap { Int($0) })
    else { usage() }
    try await load.run()
  }

  private static func usage() -> Never {
    print(
      """
      usage: TransportPeer serve own|own-pool|library PORT
             TransportPeer unary|chat|connect own|library PORT CONNECTIONS PARALLEL CALLS SIZE
      """)
    exit(2)
  }
}

/// What is measured.
enum TransportKind: String, Sendable {
  case own
  /// Handlers on Swift's thread pool instead of the event loop of their connection.
  case ownPool = "own-pool"
  case library
}
