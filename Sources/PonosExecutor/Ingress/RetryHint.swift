import GRPCCore
import GRPCProtobuf

/// Tells callers when to repeat a refused call: `google.rpc.RetryInfo` in the status details of gRPC's richer error model.
enum RetryHint {
  /// The trailing metadata that carry the hint.
  static func metadata(code: RPCError.Code, message: String, delay: Duration) -> Metadata {
    GoogleRPCStatus(code: code, message: message, details: .retryInfo(delay: delay)).rpcErrorMetadata
  }

  /// The delay that `error` asks for; nil when it has none that can be read.
  static func delay(in error: RPCError) -> Duration? {
    let status: GoogleRPCStatus?
    do { status = try error.unpackGoogleRPCStatus() } catch { return nil }
    return status?.details.lazy.compactMap(\.retryInfo).first?.delay
  }
}
