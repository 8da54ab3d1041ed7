package import GRPCCore

/// Makes the header fields of the requests that a client sends.
package struct RequestHeaderEncoder: Sendable {
  /// `http` or `https`.
  package var scheme: String
  /// Host and port, or the name the server is known by.
  package var authority: String
  package var userAgent: String

  package init(scheme: String, authority: String, userAgent: String) {
    self.scheme = scheme
    self.authority = authority
    self.userAgent = userAgent
  }

  /// The fields of every call of `method`.
  package func make(for method: MethodDescriptor) -> HeaderFields {
    var headers = HeaderFields()
    headers.add(name: ":method", value: "POST")
    headers.add(name: ":scheme", value: scheme)
    headers.add(name: ":path", value: "/\(method.fullyQualifiedMethod)")
    headers.add(name: ":authority", value: authority)
    headers.add(name: "te", value: "trailers")
    headers.add(name: "content-type", value: ContentType.canonical)
    headers.add(name: "user-agent", value: userAgent)
    headers.add(name: "grpc-accept-encoding", value: "identity,gzip")
    return headers
  }
}
