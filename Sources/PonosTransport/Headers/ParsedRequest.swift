package import GRPCCore

/// A request that a server has received: what its header fields ask for, once they are found to be a gRPC request.
package struct ParsedRequest: Sendable {
  package var method: ServedMethod
  /// Custom metadata, without the fields of the protocol.
  package var metadata: Metadata
  /// Time the client gives the call, counted from the arrival of the header fields.
  package var timeout: Duration?
  /// Whether messages of the request may be compressed with gzip.
  package var requestIsGzip: Bool
  /// Whether the client reads responses compressed with gzip.
  package var acceptsGzip: Bool

  /// Why a request is refused before any handler sees it.
  package enum Refusal: Error, Equatable, Sendable {
    /// Not even HTTP (RFC 9113 section 8.1.1); there is nothing to answer.
    case malformed
    /// Not gRPC at all: a plain HTTP status is the only answer the peer understands.
    case http(status: String)
    /// gRPC, but it cannot be served.
    case grpc(CallFault)
  }

  /// Judges the header fields of a request against the methods a server has.
  ///
  /// - Parameter methods: methods by path, `/package.Service/Method`.
  package init(_ headers: HeaderFields, methods: [String: ServedMethod]) throws(Refusal) {
    var path = ""
    var verb = ""
    var contentType = ""
    var timeout: String?
    var encoding = "identity"
    var accepted = ""
    for field in headers {
      switch field.name {
      case ":path": path = field.value
      case ":method": verb = field.value
      case "content-type": contentType = field.value
      case GRPCTimeout.name: timeout = field.value
      case "grpc-encoding": encoding = field.value
      case "grpc-accept-encoding": accepted = field.value
      default: continue
      }
    }
    switch headers.defect {
    case nil where verb.isEmpty || path.isEmpty: throw .malformed
    case nil: break
    case .tooLarge: throw .http(status: "431")
    case .malformed: throw .malformed
    }
    guard ContentType.isGRPC(contentType) else { throw .http(status: "415") }
    guard verb == "POST" else { throw .http(status: "405") }
    guard let method = methods[path] else {
      throw .grpc(CallFault(.unimplemented, "this server has no method \(path.prefix(200))"))
    }
    guard encoding == "identity" || encoding == "gzip" else {
      throw .grpc(CallFault(.unimplemented, "this server reads identity and gzip, not the encoding of the request"))
    }
    guard encoding != "gzip" || method.acceptsCompression else { throw .grpc(Self.compressionRefused) }
    self.method = method
    self.requestIsGzip = encoding == "gzip"
    self.acceptsGzip = accepted.split(separator: ",").contains { $0.drop(while: { $0 == " " }) == "gzip" }
    self.timeout = try Self.duration(timeout)
    self.metadata = MetadataCoding.metadata(from: headers, dropping: GRPCTimeout.name)
  }

  /// Said with the code that gRPC has for encodings a server does not read.
  private static let compressionRefused = CallFault(
    .unimplemented, "this server takes no compressed requests for this method", limit: .compression)

  private static func duration(_ text: String?) throws(Refusal) -> Duration? {
    guard let text else { return nil }
    guard let duration = GRPCTimeout.parse(text) else {
      throw .grpc(CallFault(.internalError, "the header grpc-timeout is malformed"))
    }
    return duration
  }
}

/// The media types of gRPC.
package enum ContentType {
  package static let canonical = "application/grpc"

  /// True for `application/grpc`, alone or with a `+format` or `;parameter`.
  package static func isGRPC(_ value: String) -> Bool {
    guard value.hasPrefix(canonical) else { return false }
    let rest = value.utf8.dropFirst(canonical.utf8.count).first
    return rest == nil || rest == UInt8(ascii: "+") || rest == UInt8(ascii: ";")
  }
}
