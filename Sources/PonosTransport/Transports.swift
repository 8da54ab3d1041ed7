package import GRPCCore

/// The transport beneath every generated stub of this package. Named here, and only here, so that it can be replaced in one place;
/// `LibraryTransports`, in a target of its own, makes the alternative. That one does not know ``CallDeadline``: whoever puts it here
/// names timeouts in `CallOptions` as well.
package typealias ServerTransportInUse = EventLoopServerTransport
/// The client side of ``ServerTransportInUse``.
package typealias ClientTransportInUse = EventLoopClientTransport

/// Makes gRPC transports with limits that stock grpc-go and C-core peers can live with.
package enum Transports {
  /// A listener; it binds when the server that owns it is run.
  package static func server(_ settings: ServerTransportSettings) -> ServerTransportInUse {
    EventLoopServerTransport(settings)
  }

  /// A client of one peer; it connects when the `GRPCClient` that owns it is run.
  package static func client(_ settings: ClientTransportSettings) throws -> ClientTransportInUse {
    EventLoopClientTransport(settings)
  }

  /// Whether a call failed because a message was larger than the caller accepts, as opposed to what the peer says of itself.
  package static func isOversizedMessage(_ error: RPCError) -> Bool {
    error.code == .resourceExhausted && error.message.hasPrefix(CallFault.oversizedMessage)
  }

  /// Whether a call was ended because of the load beside it, as opposed to what the peer says of itself.
  package static func isOverload(_ error: RPCError) -> Bool {
    error.code == .resourceExhausted
      && [CallFault.peerOverloaded, CallFault.tooManyIncompleteMessages.message].contains(error.message)
  }
}
