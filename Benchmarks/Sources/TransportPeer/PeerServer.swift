import Glibc
import GRPCCore
import PonosLibraryTransport
import PonosTransport

/// Serves ``EchoService`` until standard input ends.
enum PeerServer {
  static func run(_ kind: TransportKind, port: Int) async throws {
    var settings = ServerTransportSettings(host: "127.0.0.1", port: port)
    settings.runsHandlersOnEventLoop = kind == .own
    if kind == .library {
      let transport = LibraryTransports.server(settings)
      try await withGRPCServer(transport: transport, services: [EchoService()]) { _ in
        await answerReadings(port: try await transport.boundPort())
      }
    } else {
      let transport = EventLoopServerTransport(settings)
      try await withGRPCServer(transport: transport, services: [EchoService()]) { _ in
        await answerReadings(port: try await transport.boundPort())
      }
    }
  }

  /// Prints the processor time of this process for each line of standard input; does not return.
  private static func answerReadings(port: Int) async {
    say(port)
    await Task.detached {
      while readLine() != nil { say(Int(Reading.now.cpu)) }
      exit(0)
    }.value
  }

  /// Prints at once, whatever the output is.
  private static func say(_ number: Int) {
    print(number)
    fflush(nil)
  }
}
