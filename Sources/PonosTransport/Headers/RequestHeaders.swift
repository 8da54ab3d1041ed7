package import GRPCCore
package import NIOHPACK

/// The header fields a client asks with, prepared once per connection.
package struct RequestHeaders: Sendable {
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

  /// The fields of one call.
  package func make(for method: MethodDescriptor, metadata: Metadata, isGzip: Bool) -> HPACKHeaders {
    var headers = HPACKHeaders()
    headers.reserveCapacity(10 + metadata.count)
    headers.add(name: ":method", value: "POST")
    headers.add(name: ":scheme", value: scheme)
    headers.add(name: ":path", value: "/\(method.fullyQualifiedMethod)")
    headers.add(name: ":authority", value: authority)
    headers.add(name: "te", value: "trailers")
    headers.add(name: "content-type", value: ContentType.canonical)
    headers.add(name: "user-agent", value: userAgent)
    headers.add(name: "grpc-accept-encoding", value: "identity,gzip")
    if isGzip { headers.add(name: "grpc-encoding", value: "gzip") }
    MetadataCoding.append(metadata, to: &headers)
    return headers
  }
}
