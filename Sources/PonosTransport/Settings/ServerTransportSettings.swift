import GRPCCore

/// How a listener behaves.
package struct ServerTransportSettings: Sendable {
  /// Where a listener binds.
  package enum Address: Hashable, Sendable {
    /// An IP address or host name, and a port; port 0 lets the system choose.
    case tcp(host: String, port: Int)
    /// A unix socket; a socket file left behind by an earlier process is replaced.
    case unix(path: String)
  }

  package var address: Address
  /// Largest request message, in bytes.
  package var maxRequestBytes = 6 << 20
  /// Connections without calls are closed after this long.
  package var maxIdleTime = Duration.seconds(3600)
  /// Connections are replaced at this age, give or take a tenth; nil never.
  package var maxAge: Duration?
  /// How long the calls of a connection that is replaced may go on; nil as long as they like.
  package var maxAgeGrace: Duration?
  /// Silence after which a client is pinged; nil never.
  package var keepaliveInterval: Duration? = .seconds(120)
  /// How long a pinged client may take to answer.
  package var keepaliveTimeout = Duration.seconds(20)
  /// How long a client may take from connecting to its first frame, with the TLS handshake.
  package var handshakeTimeout = Duration.seconds(20)
  /// How long calls may go on after a shutdown began.
  package var drainTime = Duration.seconds(30)
  /// What all listeners of the process may take together; nil makes one for this listener alone, with the limits of
  /// ``ResourceQuota/Limits/init()``.
  package var quota: ResourceQuota?
  /// How long a request that is one message may take from its header fields to its end, and a message of a stream from its first byte to
  /// its last. Up to a quarter more passes before the call ends with `DEADLINE_EXCEEDED`.
  package var requestTime = Duration.seconds(30)
  /// How long a client may take nothing of a response that waits for it. Up to a quarter more passes before the call is reset.
  package var responseTime = Duration.seconds(30)
  /// Bytes of responses that may wait on one connection; a response beyond is refused with `RESOURCE_EXHAUSTED`, unless it is the only
  /// one.
  package var maxUnsentBytes = 64 << 20
  /// Whether clients may compress their requests with gzip; see ``MethodLimits`` for single methods.
  package var acceptsCompression = true
  /// How many times as large as its compressed form a request message may be, 1 KiB left free; nil for any number.
  package var maxCompressionRatio: Int? = 8
  /// Bounds of methods (`package.Service/Method`) and of services (`package.Service`); those of a method replace those of its service.
  package var methodLimits: [String: MethodLimits] = [
    "grpc.health.v1.Health": .small,
    "grpc.health.v1.Health/Watch": MethodLimits(
      maxRequestBytes: MethodLimits.small.maxRequestBytes, acceptsCompression: false, maxCallsPerConnection: 4),
  ]
  /// Sockets bound to the port with SO_REUSEPORT, each accepting on an event loop of its own; TCP only.
  package var listeners = 1
  /// Whether responses are compressed with gzip for clients that accept it.
  package var compressesResponses = false
  /// Whether handlers run on the event loop of their connection, which saves two thread switches a call. Handlers that block or
  /// compute for long have to leave it, or be run on Swift's thread pool by saying false here.
  package var runsHandlersOnEventLoop = true
  /// TLS; nil for plaintext.
  package var security: ServerTLS?
  package var http2 = HTTP2Limits()

  /// - Parameter host: IP address or name to bind.
  package init(host: String, port: Int) {
    address = .tcp(host: host, port: port)
  }

  /// - Parameter path: of the socket file, at most 107 bytes.
  package init(unixSocket path: String) {
    address = .unix(path: path)
  }

  /// IP address or name to bind; empty for a unix socket.
  package var host: String {
    get { if case .tcp(let host, _) = address { host } else { "" } }
    set { address = .tcp(host: newValue, port: port) }
  }

  /// 0 lets the system choose; see ``ServerTransportInUse`` `boundPort()`.
  package var port: Int {
    get { if case .tcp(_, let port) = address { port } else { 0 } }
    set { address = .tcp(host: host, port: newValue) }
  }

  /// A method with the bounds that these settings give it.
  func served(_ descriptor: MethodDescriptor) -> ServedMethod {
    let limits =
      methodLimits[descriptor.fullyQualifiedMethod] ?? methodLimits[descriptor.service.fullyQualifiedService] ?? MethodLimits()
    return ServedMethod(
      descriptor, maxRequestBytes: min(maxRequestBytes, limits.maxRequestBytes ?? .max),
      acceptsCompression: acceptsCompression && limits.acceptsCompression, maxCallsPerConnection: limits.maxCallsPerConnection)
  }
}
