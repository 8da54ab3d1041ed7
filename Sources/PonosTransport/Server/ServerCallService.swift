import GRPCCore
import NIOCore

/// What every connection of a server needs to serve calls. An object, so that each call refers to it and copies none of it.
final class ServerCallService: Sendable {
  typealias Inbound = RPCAsyncSequence<RPCRequestPart<MessageBytes>, any Error>
  typealias Outbound = RPCWriter<RPCResponsePart<MessageBytes>>.Closable
  typealias Handler = @Sendable (RPCStream<Inbound, Outbound>, ServerContext) async -> Void

  /// Methods by path.
  let methods: [String: ServedMethod]
  let settings: ServerTransportSettings
  private let handler: Handler

  init(methods: [String: ServedMethod], settings: ServerTransportSettings, handler: @escaping Handler) {
    self.methods = methods
    self.settings = settings
    self.handler = handler
  }

  /// Runs the handler of one call, from its first part to its last.
  func run(_ call: ServerCall, remotePeer: String, localPeer: String, specifics: CallPeer) async {
    await withServerContextRPCCancellationHandle { handle in
      if call.eventLoop.inEventLoop {
        call.attach(handle)
      } else {
        call.eventLoop.execute { call.attach(handle) }
      }
      var context = ServerContext(
        descriptor: call.method.descriptor, remotePeer: remotePeer, localPeer: localPeer, cancellation: handle)
      context.transportSpecific = specifics
      let stream = RPCStream(
        descriptor: call.method.descriptor,
        inbound: RPCAsyncSequence(wrapping: RequestPartSequence(inbound: call.inbound)),
        outbound: RPCWriter.Closable(wrapping: ServerCallWriter(call: call)))
      await handler(stream, context)
    }
    if call.eventLoop.inEventLoop {
      call.handlerReturned()
    } else {
      call.eventLoop.execute { call.handlerReturned() }
    }
  }
}
