package import GRPCCore

/// Makes the header fields of the responses that a server sends.
package enum ResponseHeaderEncoder {
  private static let plain: HeaderFields = [":status": "200", "content-type": ContentType.canonical]
  private static let gzip: HeaderFields = [
    ":status": "200", "content-type": ContentType.canonical, "grpc-encoding": "gzip",
  ]
  private static let success: HeaderFields = ["grpc-status": "0"]
  /// Longest `grpc-message`, in bytes as encoded; clients refuse responses whose header fields are much longer.
  private static let maxMessageBytes = 4_096

  /// The fields before the first message.
  package static func initial(metadata: Metadata, isGzip: Bool) -> HeaderFields {
    var headers = isGzip ? gzip : plain
    MetadataCoding.append(metadata, to: &headers)
    return headers
  }

  /// The fields after the last message.
  package static func trailers(status: Status, metadata: Metadata) -> HeaderFields {
    ending(status.code == .ok ? success : ["grpc-status": String(status.code.rawValue)], status: status, metadata: metadata)
  }

  /// The only fields of a response without messages.
  package static func trailersOnly(status: Status, metadata: Metadata = [:]) -> HeaderFields {
    var headers = plain
    headers.add(name: "grpc-status", value: String(status.code.rawValue))
    return ending(headers, status: status, metadata: metadata)
  }

  /// `headers` with the message of `status` and with `metadata`; without the metadata if they are too large to be sent, because
  /// a call has to end in any case.
  private static func ending(_ headers: HeaderFields, status: Status, metadata: Metadata) -> HeaderFields {
    var headers = headers
    append(message: status.message, to: &headers)
    guard !metadata.isEmpty else { return headers }
    var complete = headers
    MetadataCoding.append(metadata, to: &complete)
    return MetadataCoding.fitInOneFrame(complete) ? complete : headers
  }

  /// The answer to a request that is not gRPC.
  package static func refusal(httpStatus: String) -> HeaderFields { [":status": httpStatus] }

  /// The answer to a request that cannot be served.
  package static func refusal(_ fault: CallFault) -> HeaderFields {
    var headers = trailersOnly(status: fault.status)
    if fault.code == .unimplemented {
      headers.add(name: "grpc-accept-encoding", value: fault.limit == .compression ? "identity" : "identity,gzip")
    }
    return headers
  }

  private static func append(message: String, to headers: inout HeaderFields) {
    guard !message.isEmpty else { return }
    headers.add(name: "grpc-message", value: StatusMessageEncoding.encode(message, limit: maxMessageBytes))
  }
}
