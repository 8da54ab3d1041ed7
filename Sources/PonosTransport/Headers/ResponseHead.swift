package import GRPCCore
package import NIOHPACK

/// What the header fields of a response mean to a client.
package enum ResponseHead: Sendable {
  /// 1xx: the real response follows.
  case interim
  /// Messages follow, compressed with gzip or not at all.
  case initial(Metadata, isGzip: Bool)
  /// The call is over.
  case final(Status, Metadata)

  /// Judges the first header fields of a response.
  package init(first headers: HPACKHeaders, endStream: Bool) {
    let status = headers.first(name: ":status") ?? ""
    if status.hasPrefix("1"), !endStream {
      self = .interim
      return
    }
    if headers.contains(name: "grpc-status"), endStream {
      self.init(trailers: headers)
      return
    }
    guard status == "200" else {
      let code = Status.Code(StatusMapping.code(forHTTPStatus: status))
      self = .final(Status(code: code, message: "the server answered with HTTP status \(status)"), [:])
      return
    }
    guard ContentType.isGRPC(headers.first(name: "content-type") ?? "") else {
      self = .final(Status(code: .unknown, message: "the server answered with a content-type that is not gRPC"), [:])
      return
    }
    guard !endStream else {
      self.init(trailers: headers)
      return
    }
    switch headers.first(name: "grpc-encoding") ?? "identity" {
    case "identity": self = .initial(MetadataCoding.metadata(from: headers), isGzip: false)
    case "gzip": self = .initial(MetadataCoding.metadata(from: headers), isGzip: true)
    default: self = .final(Status(code: .internalError, message: "the server answered with an unknown encoding"), [:])
    }
  }

  /// Judges the last header fields of a response.
  package init(trailers headers: HPACKHeaders) {
    let text = headers.first(name: "grpc-status")
    guard let number = text.flatMap({ Int($0) }) else {
      self = .final(Status(code: .unknown, message: "the server ended the call without a valid grpc-status"), [:])
      return
    }
    let code = Status.Code(rawValue: number) ?? .unknown
    let message = headers.first(name: "grpc-message").map { PercentEncoding.decode($0) } ?? ""
    self = .final(Status(code: code, message: message), MetadataCoding.metadata(from: headers))
  }
}
