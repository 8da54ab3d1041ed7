import Foundation
import GRPCCore
import PonosLibraryTransport
import Synchronization

@testable import PonosTransport

/// The combinations of transports a suite runs on, over plain TCP where nothing else is said.
enum TransportPair: String, CaseIterable, Sendable, CustomStringConvertible {
  case own
  case ownTLS = "own over mutual TLS"
  case ownUnixSocket = "own over a unix socket"
  case ownServer = "own server, library client"
  case ownClient = "library server, own client"
  case library

  var description: String { rawValue }
  var hasOwnServer: Bool { self != .ownClient && self != .library }
  var hasOwnClient: Bool { self != .ownServer && self != .library }
  var isOwn: Bool { hasOwnServer && hasOwnClient }

  /// Runs `body` with a client connected to a server of ``EchoService``.
  func run(
    configureServer: @escaping @Sendable (inout ServerTransportSettings) -> Void = { _ in },
    configureClient: @escaping @Sendable (inout ClientTransportSettings) -> Void = { _ in },
    _ body: @escaping @Sendable (any EchoCalls, EchoService) async throws -> Void
  ) async throws {
    var settings = try serverSettings()
    configureServer(&settings)
    let address = settings.address
    if hasOwnServer {
      let transport = EventLoopServerTransport(settings)
      try await serve(transport, configureClient, body) {
        if case .unix(let path) = address {
          _ = try await transport.listeningAddress
          return ClientTransportSettings(unixSocket: path)
        }
        return ClientTransportSettings(host: "127.0.0.1", port: try await transport.boundPort())
      }
    } else {
      let transport = LibraryTransports.server(settings)
      try await serve(transport, configureClient, body) {
        ClientTransportSettings(host: "127.0.0.1", port: try await transport.boundPort())
      }
    }
  }

  private func serverSettings() throws -> ServerTransportSettings {
    var settings = ServerTransportSettings(host: "127.0.0.1", port: 0)
    switch self {
    case .ownTLS:
      settings.security = try TestCertificates.shared().serverTLS()
    case .ownUnixSocket:
      let name = "ponos-\(UUID().uuidString.prefix(8)).sock"
      settings.address = .unix(path: FileManager.default.temporaryDirectory.appendingPathComponent(name).path)
    case .own, .ownServer, .ownClient, .library: break
    }
    return settings
  }

  private func serve<Transport: ServerTransport>(
    _ transport: Transport, _ configure: @escaping @Sendable (inout ClientTransportSettings) -> Void,
    _ body: @escaping @Sendable (any EchoCalls, EchoService) async throws -> Void,
    client: @escaping @Sendable () async throws -> ClientTransportSettings
  ) async throws {
    let service = EchoService()
    try await inTime(.seconds(60)) {
      try await withGRPCServer(transport: transport, services: [service]) { _ in
        var settings = try await client()
        if self == .ownTLS { settings.security = try TestCertificates.shared().clientTLS() }
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
