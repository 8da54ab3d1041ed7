import GRPCCore
package import GRPCNIOTransportHTTP2
import NIOCore
package import PonosTransport

/// The transport of grpc-swift-nio-transport, made to get along with stock grpc-go and C-core peers: the yardstick that tests
/// and benchmarks hold ours against.
package enum LibraryTransports {
  package static func server(_ settings: ServerTransportSettings) -> HTTP2ServerTransport.Posix {
    HTTP2ServerTransport.Posix(
      address: address(of: settings),
      transportSecurity: .plaintext,
      config: .defaults { config in
        config.rpc.maxRequestPayloadSize = settings.maxRequestBytes
        config.connection.keepalive.clientBehavior.allowWithoutCalls = true
        config.connection.keepalive.clientBehavior.minPingIntervalWithoutCalls = .zero
        config.connection.maxIdleTime = settings.maxIdleTime
        config.http2.targetWindowSize = settings.http2.windowSize
        config.channelDebuggingCallbacks.onAcceptTCPConnection = { channel in
          guardAgainstPings(channel, isServer: true)
        }
      })
  }

  package static func client(_ settings: ClientTransportSettings) throws -> HTTP2ClientTransport.Posix {
    try HTTP2ClientTransport.Posix(
      target: target(of: settings),
      transportSecurity: .plaintext,
      config: .defaults { config in
        config.backoff.initial = settings.initialBackoff
        config.backoff.max = settings.maxBackoff
        config.http2.targetWindowSize = settings.http2.windowSize
        config.channelDebuggingCallbacks.onCreateTCPConnection = { channel in
          guardAgainstPings(channel, isServer: false)
        }
      })
  }

  private static func address(of settings: ServerTransportSettings) -> GRPCNIOTransportCore.SocketAddress {
    switch settings.address {
    case .tcp(let host, let port): .ipv4(host: host, port: port)
    case .unix(let path): .unixDomainSocket(path: path)
    }
  }

  private static func target(of settings: ClientTransportSettings) -> any ResolvableTarget {
    switch settings.address {
    case .tcp(let host, let port): .dns(host: host, port: port)
    case .unix(let path): .unixDomainSocket(path: path)
    }
  }

  /// Puts a ``PingAnswerer`` next to the network.
  private static func guardAgainstPings(_ channel: any Channel, isServer: Bool) -> EventLoopFuture<Void> {
    channel.eventLoop.makeCompletedFuture {
      try channel.pipeline.syncOperations.addHandler(PingAnswerer(isServer: isServer), position: .first)
    }
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
