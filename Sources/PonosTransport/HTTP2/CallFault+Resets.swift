import GRPCCore

/// What a call is told whose stream was reset, by either side.
extension CallFault {
  /// The fault for a stream that was reset on our side, because the peer broke the rules.
  package static func ownReset(_ code: HTTP2ErrorCode) -> CallFault {
    CallFault(.internalError, "the stream broke the rules of HTTP/2 and was reset with error code \(code.rawValue)")
  }

  /// The fault for a stream the peer reset (table "Errors" of "gRPC over HTTP2").
  package static func peerReset(_ code: HTTP2ErrorCode) -> CallFault {
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
