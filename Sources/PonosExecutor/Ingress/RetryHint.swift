import GRPCCore
import GRPCProtobuf

/// When a refused call may come again: `google.rpc.RetryInfo` in the details of the status, as gRPC's richer error model has it.
enum RetryHint {
  /// The trailing metadata that carry it.
  static func metadata(code: RPCError.Code, message: String, delay: Duration) -> Metadata {
    GoogleRPCStatus(code: code, message: message, details: .retryInfo(delay: delay)).rpcErrorMetadata
  }

  /// What `error` says; nil when it says nothing, or nothing that can be read.
  static func delay(in error: RPCError) -> Duration? {
    let status: GoogleRPCStatus?
    do { status = try error.unpackGoogleRPCStatus() } catch { return nil }
    return status?.details.lazy.compactMap(\.retryInfo).first?.delay
  }
}
