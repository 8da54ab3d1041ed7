package import GRPCNIOTransportHTTP2

/// The transport beneath every generated stub of this package. Named here, and only here, so that it can be replaced in one place.
package typealias ServerTransportInUse = HTTP2ServerTransport.Posix
/// The client side of ``ServerTransportInUse``.
package typealias ClientTransportInUse = HTTP2ClientTransport.Posix

/// Makes gRPC transports with limits that stock grpc-go and C-core peers can live with.
package enum Transports {
  /// A listener; it binds when the server that owns it is run.
  package static func server(_ settings: ServerTransportSettings) -> ServerTransportInUse {
    LibraryTransports.server(settings)
  }

  /// A client of one peer; it connects when the `GRPCClient` that owns it is run.
  package static func client(_ settings: ClientTransportSettings) throws -> ClientTransportInUse {
    try LibraryTransports.client(settings)
  }
}
