import GRPCCore
package import NIOCore
package import NIOSSL

/// Who is at the other end of a connection, for handlers: `context.transportSpecific as? CallPeer`.
package struct CallPeer: ServerContext.TransportSpecific {
  /// Where the client's connection comes from.
  package var address: PeerAddress
  /// The certificate the client proved itself with; nil without mutual TLS.
  package var certificate: NIOSSLCertificate?
  /// When the client stops waiting; nil if it named no deadline.
  package var deadline: NIODeadline?

  package init(address: PeerAddress = .unknown, certificate: NIOSSLCertificate? = nil, deadline: NIODeadline? = nil) {
    self.address = address
    self.certificate = certificate
    self.deadline = deadline
  }
}

extension Optional where Wrapped == SocketAddress {
  /// The address as gRPC writes peers: `ipv4:127.0.0.1:9090`, `ipv6:[::1]:9090`, `unix:/run/ponos.sock`.
  var peerName: String {
    switch self {
    case .v4: "ipv4:\(self?.ipAddress ?? ""):\(self?.port ?? 0)"
    case .v6: "ipv6:[\(self?.ipAddress ?? "")]:\(self?.port ?? 0)"
    case .unixDomainSocket: "unix:\(self?.pathname ?? "")"
    case nil: "unknown"
    }
  }
}
