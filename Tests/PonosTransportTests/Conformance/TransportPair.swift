import GRPCCore
import PonosLibraryTransport
import Synchronization

@testable import PonosTransport

/// The combinations of transports a suite runs on.
enum TransportPair: String, CaseIterable, Sendable, CustomStringConvertible {
  case own
  case ownServer = "own server, library client"
  case ownClient = "library server, own client"
  case library

  var description: String { rawValue }
  var hasOwnServer: Bool { self == .own || self == .ownServer }
  var hasOwnClient: Bool { self == .own || self == .ownClient }

  /// Runs `body` with a client connected to a server of ``EchoService``.
  func run(
    configureServer: @escaping @Sendable (inout ServerTransportSettings) -> Void = { _ in },
    configureClient: @escaping @Sendable (inout ClientTransportSettings) -> Void = { _ in },
    _ body: @escaping @Sendable (any EchoCalls, EchoService) async throws -> Void
  ) async throws {
    var settings = ServerTransportSettings(host: "127.0.0.1", port: 0)
    configureServer(&settings)
    if hasOwnServer {
      let transport = EventLoopServerTransport(settings)
      try await serve(transport, port: { try await transport.boundPort() }, configureClient, body)
    } else {
      let transport = LibraryTransports.server(settings)
      try await serve(transport, port: { try await transport.boundPort() }, configureClient, body)
    }
  }

  private func serve<Transport: ServerTransport>(
    _ transport: Transport, port: @escaping @Sendable () async throws -> Int,
    _ configure: @escaping @Sendable (inout ClientTransportSettings) -> Void,
    _ body: @escaping @Sendable (any EchoCalls, EchoService) async throws -> Void
  ) async throws {
    let service = EchoService()
    try await inTime(.seconds(60)) {
      try await withGRPCServer(transport: transport, services: [service]) { _ in
        var settings = ClientTransportSettings(host: "127.0.0.1", port: try await port())
        configure(&settings)
        if hasOwnClient {
          try await call(EventLoopClientTransport(settings)) { try await body($0, service) }
        } else {
          try await call(try LibraryTransports.client(settings)) { try await body($0, service) }
        }
      }
    }
  }

  private func call<Transport: ClientTransport>(
    _ transport: Transport, _ body: @escaping @Sendable (any EchoCalls) async throws -> Void
  ) async throws {
    try await withGRPCClient(transport: transport) { client in try await body(EchoClient(client: client)) }
  }
}
