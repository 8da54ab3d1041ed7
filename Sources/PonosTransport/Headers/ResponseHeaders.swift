package import GRPCCore
package import NIOHPACK

/// The header fields a server answers with.
package enum ResponseHeaders {
  private static let plain: HPACKHeaders = [":status": "200", "content-type": ContentType.canonical]
  private static let gzip: HPACKHeaders = [
    ":status": "200", "content-type": ContentType.canonical, "grpc-encoding": "gzip",
  ]
  private static let success: HPACKHeaders = ["grpc-status": "0"]

  /// The fields before the first message.
  package static func initial(metadata: Metadata, isGzip: Bool) -> HPACKHeaders {
    var headers = isGzip ? gzip : plain
    MetadataCoding.append(metadata, to: &headers)
    return headers
  }

  /// The fields after the last message.
  package static func trailers(status: Status, metadata: Metadata) -> HPACKHeaders {
    var headers = status.code == .ok ? success : ["grpc-status": String(status.code.rawValue)]
    append(message: status.message, to: &headers)
    MetadataCoding.append(metadata, to: &headers)
    return headers
  }

  /// The only fields of a response without messages.
  package static func trailersOnly(status: Status, metadata: Metadata = [:]) -> HPACKHeaders {
    var headers = plain
    headers.add(name: "grpc-status", value: String(status.code.rawValue))
    append(message: status.message, to: &headers)
    MetadataCoding.append(metadata, to: &headers)
    return headers
  }

  /// The answer to a request that was refused before any handler saw it.
  package static func refusal(_ refusal: RequestHead.Refusal) -> HPACKHeaders {
    switch refusal {
    case .http(let status):
      return [":status": status]
    case .grpc(let fault):
      var headers = trailersOnly(status: fault.status)
      if fault.code == .unimplemented { headers.add(name: "grpc-accept-encoding", value: "identity,gzip") }
      return headers
    }
  }

  private static func append(message: String, to headers: inout HPACKHeaders) {
    guard !message.isEmpty else { return }
    headers.add(name: "grpc-message", value: PercentEncoding.encode(message))
  }
}
