package import GRPCCore

/// Why the transport itself ends a call: the status its side of the call is told.
package struct CallFault: Error, Hashable, Sendable {
  package let code: RPCError.Code
  /// What went wrong, for people; contains no bytes of the peer's messages.
  package let message: String
  /// The bound that the peer has reached, if that is why.
  package let limit: TransportLimit?

  /// Begins the message of every fault that is due to the size of a message.
  static let oversizedMessage = "a message is larger than the limit"
  /// The peer reset a stream because of its load.
  static let peerOverloaded = "the peer reset the stream because of its load (ENHANCE_YOUR_CALM)"
  /// Ends calls of a connection that could complete none of its messages otherwise: they hold more than it may.
  static let tooManyIncompleteMessages = CallFault(
    .resourceExhausted, "the calls of this connection hold too many incomplete messages", limit: .connectionReceivedBytes)

  package init(_ code: RPCError.Code, _ message: String, limit: TransportLimit? = nil) {
    self.code = code
    self.message = message
    self.limit = limit
  }

  package var status: Status { Status(code: Status.Code(code), message: message) }
  package var error: RPCError { RPCError(code: code, message: message) }
}
