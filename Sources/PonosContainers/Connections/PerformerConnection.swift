import PonosCore

/// A connection to one performer: gives it tasks. One instance per container, shared by all its callers.
package protocol PerformerConnection: Sendable {
  /// Runs one task. Cancelling the caller cancels the call at the performer.
  func execute(_ id: TaskID, payload: [UInt8], timeout: Duration) async throws(PerformerCallError) -> PerformerReply
  /// Asks after the performer's health, over this connection.
  var probe: any Probe { get }
  /// Ends calls in flight and frees the connection. May be called again.
  func close() async
}

/// What a performer answered, unchecked.
package struct PerformerReply: Sendable, Equatable {
  /// The id it echoed, as it came: should be the ASCII text of the task id.
  package var echoedID: [UInt8]
  package var output: [UInt8]

  package init(echoedID: [UInt8], output: [UInt8]) {
    self.echoedID = echoedID
    self.output = output
  }
}

/// Why a call to a performer brought no reply.
package enum PerformerCallError: Error, Sendable, Equatable {
  /// No connection, or it broke before an answer: the task may or may not have run.
  case unreachable(String)
  /// No answer in time.
  case timedOut
  /// A definite answer: the performer refused or failed the task. `code` is the status code of gRPC or HTTP.
  case answeredError(code: Int, message: String)
  /// The performer asks to be asked again, not before `retryAfter` where it says so.
  case answeredBusy(String, retryAfter: Duration?)
  /// The reply is larger than any result may be.
  case replyTooLarge
  /// The caller was cancelled.
  case cancelled
}
