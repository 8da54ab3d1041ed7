/// What the status of a performer's error says about another run of the task.
///
/// A performer's error is its definite answer, and the task is not run again, unless the error itself asks for another run.
package enum PerformerStatus {
  /// Whether a gRPC status asks for another run: ABORTED (10) and UNAVAILABLE (14) do, as gRPC's own description of the codes
  /// says, and so does any status that carries `google.rpc.RetryInfo`. RESOURCE_EXHAUSTED (8) alone does not: gRPC libraries answer
  /// it when a message is too large, and will again.
  package static func asksAgain(grpcCode: Int, hasRetryInfo: Bool) -> Bool {
    hasRetryInfo || [10, 14].contains(grpcCode)
  }

  /// Whether an HTTP status asks for another run: 429 Too Many Requests and 503 Service Unavailable do.
  package static func asksAgain(httpStatus: Int) -> Bool {
    httpStatus == 429 || httpStatus == 503
  }

  /// Reads the value of an HTTP `Retry-After` header in whole seconds; nil for its other form, a date: clocks differ.
  package static func retryAfter(_ text: String) -> Duration? {
    guard (1...9).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    return Int64(text).map { .seconds($0) }
  }
}
