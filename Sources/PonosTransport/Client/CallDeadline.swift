import GRPCCore
package import NIOCore

/// The time by which calls have to be answered, as the transport keeps it: with a timer of the event loop, where
/// `CallOptions.timeout` costs GRPCCore two tasks and a sleep for each call.
///
/// It is passed on by the task, since GRPCCore hands the metadata of a call to the transport only once there is a connection. So it
/// covers the whole call, waiting for a connection included, and the server is told what is left of it.
package enum CallDeadline {
  /// The deadline of the calls that this task begins; nil for none.
  @TaskLocal package static var current: NIODeadline?

  /// Runs `body`, whose calls end with `DEADLINE_EXCEEDED` when `timeout` has passed. An earlier deadline around it stays.
  package static func after<Result>(_ timeout: Duration, _ body: () async throws -> Result) async rethrows -> Result {
    let deadline = NIODeadline.now() + TimeAmount(timeout)
    return try await $current.withValue(min(deadline, current ?? deadline), operation: body)
  }

  /// What a call is told whose deadline has passed.
  static let fault = CallFault(.deadlineExceeded, "the deadline of the call passed before it was answered")
}
