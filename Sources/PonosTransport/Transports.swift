import GRPCCore
package import GRPCNIOTransportHTTP2
package import NIOCore

/// The transport beneath every generated stub of this package. Named here, and only here, so that it can be replaced in one place.
package typealias ServerTransportInUse = HTTP2ServerTransport.Posix
/// The client side of ``ServerTransportInUse``.
package typealias ClientTransportInUse = HTTP2ClientTransport.Posix

/// Makes gRPC transports with limits that stock grpc-go and C-core peers can live with.
package enum Transports {
  /// A listener; it binds when the server that owns it is run.
  package static func server(_ settings: ServerTransportSettings) -> ServerTransportInUse {
    ServerTransportInUse(
      address: .ipv4(host: settings.host, port: settings.port),
      transportSecurity: .plaintext,
      config: .defaults { config in
        config.rpc.maxRequestPayloadSize = settings.maxRequestBytes
        config.connection.keepalive.clientBehavior.allowWithoutCalls = true
        config.connection.keepalive.clientBehavior.minPingIntervalWithoutCalls = .zero
        config.connection.maxIdleTime = settings.maxIdleTime
        config.http2.targetWindowSize = 1 << 20
        config.channelDebuggingCallbacks.onAcceptTCPConnection = { channel in
          guardAgainstPings(channel, isServer: true)
        }
      })
  }

  /// A client of one peer; it connects when the `GRPCClient` that owns it is run.
  package static func client(_ settings: ClientTransportSettings) throws -> ClientTransportInUse {
    try ClientTransportInUse(
      target: .dns(host: settings.host, port: settings.port),
      transportSecurity: .plaintext,
      config: .defaults { config in
        config.backoff.initial = settings.initialBackoff
        config.backoff.max = settings.maxBackoff
        config.channelDebuggingCallbacks.onCreateTCPConnection = { channel in
          guardAgainstPings(channel, isServer: false)
        }
      })
  }

  /// Puts a ``PingGuard`` next to the network.
  private static func guardAgainstPings(_ channel: any Channel, isServer: Bool) -> EventLoopFuture<Void> {
    channel.eventLoop.makeCompletedFuture {
      try channel.pipeline.syncOperations.addHandler(PingGuard(isServer: isServer), position: .first)
    }
  }
}

/// How a listener behaves.
package struct ServerTransportSettings: Sendable {
  /// IPv4 address to bind.
  package var host: String
  /// 0 lets the system choose; see ``ServerTransportInUse`` `boundPort()`.
  package var port: Int
  /// Largest request message, in bytes.
  package var maxRequestBytes = 4 << 20
  /// Connections without calls are closed after this long.
  package var maxIdleTime = Duration.seconds(3600)

  package init(host: String, port: Int) {
    self.host = host
    self.port = port
  }
}

/// How a client connects.
package struct ClientTransportSettings: Sendable {
  /// Host name or IP address.
  package var host: String
  package var port: Int
  /// Pause after the first failed attempt to connect.
  package var initialBackoff = Duration.milliseconds(100)
  /// Longest pause between attempts.
  package var maxBackoff = Duration.seconds(5)

  package init(host: String, port: Int) {
    self.host = host
    self.port = port
  }
}

extension HTTP2ServerTransport.Posix {
  /// The port the listener is bound to; waits until it is bound, and throws when it could not bind.
  package func boundPort() async throws -> Int {
    guard let port = try await listeningAddress.ipv4?.port else {
      throw RPCError(code: .internalError, message: "the listener is not bound to an IPv4 address")
    }
    return port
  }
}
