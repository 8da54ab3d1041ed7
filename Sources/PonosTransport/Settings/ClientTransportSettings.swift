/// How a client connects.
package struct ClientTransportSettings: Sendable {
  /// Where a client connects to.
  package enum Address: Hashable, Sendable {
    /// A host name or IP address, and a port.
    case tcp(host: String, port: Int)
    /// A unix socket.
    case unix(path: String)
  }

  package var address: Address
  /// Pause after the first failed attempt to connect.
  package var initialBackoff = Duration.milliseconds(100)
  /// Longest pause between attempts.
  package var maxBackoff = Duration.seconds(5)
  /// How long one attempt may take, with the TLS handshake and the server's first frame.
  package var connectTimeout = Duration.seconds(10)
  /// Connections kept to the peer; calls take turns.
  package var connections = 1
  /// Connections there may be while more calls are open than the peer takes on those that are kept. Calls wait beyond that.
  package var maxConnections = 8
  /// Largest response message, in bytes.
  package var maxResponseBytes = 16 << 20
  /// Connections without calls are closed after this long and opened again when needed; nil never.
  package var maxIdleTime: Duration? = .seconds(1_800)
  /// Silence after which the server is pinged while calls are open; nil never. A stock grpc-go server cuts off clients that ping
  /// more often than every five minutes, which a call that takes that long to answer would run into.
  package var keepaliveInterval: Duration? = .seconds(330)
  /// How long a pinged server may take to answer.
  package var keepaliveTimeout = Duration.seconds(10)
  /// How long addresses of a host name are used before the name is looked up again.
  package var nameLifetime = Duration.seconds(30)
  /// Name sent as `:authority`; nil for host and port.
  package var authority: String?
  /// TLS; nil for plaintext.
  package var security: ClientTLS?
  package var http2 = HTTP2Limits()

  package init(host: String, port: Int) {
    address = .tcp(host: host, port: port)
  }

  /// - Parameter path: of the socket file.
  package init(unixSocket path: String) {
    address = .unix(path: path)
  }

  /// Host name or IP address; empty for a unix socket.
  package var host: String {
    get { if case .tcp(let host, _) = address { host } else { "" } }
    set { address = .tcp(host: newValue, port: port) }
  }

  package var port: Int {
    get { if case .tcp(_, let port) = address { port } else { 0 } }
    set { address = .tcp(host: host, port: newValue) }
  }
}
