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
}
