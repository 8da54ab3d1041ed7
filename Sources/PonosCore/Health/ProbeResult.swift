/// What one look at a performer's health found.
package enum ProbeResult: Sendable, Equatable {
  /// It answers that it serves.
  case serving
  /// It answers, but not that it serves (`NOT_SERVING`, `UNKNOWN`, an unimplemented health service, another status than 200).
  case notServing(String)
  /// There is no connection, or it broke.
  case unreachable(String)
  /// No answer came in time, over the connection there is.
  case timedOut(String)
}
