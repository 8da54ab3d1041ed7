package import GRPCCore

/// A response that a client has received: what its header fields mean.
package enum ParsedResponse: Sendable {
  /// 1xx: the real response follows.
  case interim
  /// Messages follow, compressed with gzip or not at all.
  case initial(Metadata, isGzip: Bool)
  /// The call is over.
  case final(Status, Metadata)

  /// The fields that have a meaning of their own.
  private struct Fields {
    var httpStatus = ""
    var contentType = ""
    var encoding = "identity"
    var status: String?
    var message: String?

    init(_ headers: HeaderFields) {
      for field in headers {
        switch field.name {
        case ":status": httpStatus = field.value
        case "content-type": contentType = field.value
        case "grpc-encoding": encoding = field.value
        case "grpc-status": status = field.value
        case "grpc-message": message = field.value
        default: continue
        }
      }
    }
  }

  /// Judges the first header fields of a response.
  package init(first headers: HeaderFields, endStream: Bool) {
    if let defect = headers.defect {
      self = Self.ending(defect)
      return
    }
    let fields = Fields(headers)
    if fields.httpStatus.hasPrefix("1"), !endStream {
      self = .interim
      return
    }
    if fields.status != nil, endStream {
      self = Self.ending(fields, headers)
      return
    }
    guard fields.httpStatus == "200" else {
      let code = Status.Code(StatusMapping.code(forHTTPStatus: fields.httpStatus))
      self = .final(Status(code: code, message: "the server answered with HTTP status \(fields.httpStatus)"), [:])
      return
    }
    guard ContentType.isGRPC(fields.contentType) else {
      self = .final(Status(code: .unknown, message: "the server answered with a content-type that is not gRPC"), [:])
      return
    }
    guard !endStream else {
      self = Self.ending(fields, headers)
      return
    }
    switch fields.encoding {
    case "identity": self = .initial(MetadataCoding.metadata(from: headers), isGzip: false)
    case "gzip": self = .initial(MetadataCoding.metadata(from: headers), isGzip: true)
    default: self = .final(Status(code: .internalError, message: "the server answered with an unknown encoding"), [:])
    }
  }

  /// Judges the last header fields of a response.
  package init(trailers headers: HeaderFields) {
    self = headers.defect.map(Self.ending) ?? Self.ending(Fields(headers), headers)
  }

  private static func ending(_ defect: HeaderFields.Defect) -> ParsedResponse {
    switch defect {
    case .tooLarge:
      .final(Status(code: .resourceExhausted, message: "the header fields of the response are larger than the limit"), [:])
    case .malformed:
      .final(Status(code: .internalError, message: "a header field of the response is malformed"), [:])
    }
  }

  private static func ending(_ fields: Fields, _ headers: HeaderFields) -> ParsedResponse {
    guard let number = fields.status.flatMap({ Int($0) }) else {
      return .final(Status(code: .unknown, message: "the server ended the call without a valid grpc-status"), [:])
    }
    let code = Status.Code(rawValue: number) ?? .unknown
    let message = fields.message.map { StatusMessageEncoding.decode($0) } ?? ""
    return .final(Status(code: code, message: message), MetadataCoding.metadata(from: headers))
  }
}
