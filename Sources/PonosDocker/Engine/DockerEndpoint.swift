import FoundationEssentials

/// Where a Docker Engine listens: a unix socket or a plain TCP port.
package enum DockerEndpoint: Sendable, Hashable, CustomStringConvertible {
  /// Absolute path of the socket.
  case unixSocket(String)
  /// Host name or address without brackets, and the port. Not encrypted: only for loopback or a protected network.
  case tcp(host: String, port: Int)

  /// The socket an engine listens on unless told otherwise.
  package static let standard = DockerEndpoint.unixSocket("/var/run/docker.sock")

  /// What `DOCKER_HOST` in `environment` names; `standard` when it is unset or empty.
  /// Throws `invalidEndpoint` for forms other than `unix://PATH`, `tcp://HOST:PORT` and `http://HOST:PORT`.
  package static func fromEnvironment(_ environment: [String: String]) throws(DockerError) -> DockerEndpoint {
    guard let text = environment["DOCKER_HOST"], !text.isEmpty else { return .standard }
    return try DockerEndpoint(parsing: text)
  }

  /// Reads the text form of `DOCKER_HOST`.
  package init(parsing text: String) throws(DockerError) {
    if text.hasPrefix("unix://"), text.dropFirst(7).hasPrefix("/") {
      self = .unixSocket(String(text.dropFirst(7)))
      return
    }
    for scheme in ["tcp://", "http://"] where text.hasPrefix(scheme) {
      var authority = text.dropFirst(scheme.count)
      if authority.hasSuffix("/") { authority = authority.dropLast() }
      guard let colon = authority.lastIndex(of: ":"), let port = Int(authority[authority.index(after: colon)...]),
        (1...65535).contains(port)
      else { break }
      let host = authority[..<colon].trimmingPrefix("[")
      guard !host.isEmpty else { break }
      self = .tcp(host: String(host.hasSuffix("]") ? host.dropLast() : host), port: port)
      return
    }
    throw DockerError(
      .invalidEndpoint, "DOCKER_HOST is '\(text)', which is not an address this client can use",
      cure: "Set it to unix:///path/to/docker.sock or tcp://host:port, or unset it.")
  }

  package var description: String {
    switch self {
    case .unixSocket(let path): "unix://\(path)"
    case .tcp(let host, let port): host.contains(":") ? "tcp://[\(host)]:\(port)" : "tcp://\(host):\(port)"
    }
  }

  /// What requests to this endpoint put in front of their path.
  var urlPrefix: String {
    switch self {
    case .unixSocket(let path): "http+unix://" + URLEncoding.encode(path)
    case .tcp(let host, let port): host.contains(":") ? "http://[\(host)]:\(port)" : "http://\(host):\(port)"
    }
  }
}
