package import GRPCCore

/// What a call is told when the peer ended it without a gRPC status.
package enum StatusMapping {
  /// The code for a response whose `:status` is not 200 (table "HTTP to gRPC Status Code Mapping" of the gRPC specification).
  package static func code(forHTTPStatus status: String) -> RPCError.Code {
    switch status {
    case "400": .internalError
    case "401": .unauthenticated
    case "403": .permissionDenied
    case "404": .unimplemented
    case "429", "502", "503", "504": .unavailable
    default: .unknown
    }
  }

  /// The fault for a stream that was reset on our side, because the peer broke the rules.
  package static func fault(forOwnReset code: HTTP2ErrorCode) -> CallFault {
    CallFault(.internalError, "the stream broke the rules of HTTP/2 and was reset with error code \(code.rawValue)")
  }

  /// The fault for a stream the peer reset (table "Errors" of "gRPC over HTTP2").
  package static func fault(forReset code: HTTP2ErrorCode) -> CallFault {
    switch code {
    case .refusedStream:
      CallFault(.unavailable, "the peer refused the stream before it did any work (REFUSED_STREAM)")
    case .cancel:
      CallFault(.cancelled, "the peer cancelled the stream (CANCEL)")
    case .enhanceYourCalm:
      CallFault(.resourceExhausted, CallFault.peerOverloaded)
    case .inadequateSecurity:
      CallFault(.permissionDenied, "the peer asks for better transport security (INADEQUATE_SECURITY)")
    default:
      CallFault(.internalError, "the peer reset the stream with HTTP/2 error code \(code.rawValue)")
    }
  }
}
