import GRPCCore
import NIOCore

/// What every connection of a server needs to serve calls.
struct ServerCallService: Sendable {
  typealias Inbound = RPCAsyncSequence<RPCRequestPart<MessageBytes>, any Error>
  typealias Outbound = RPCWriter<RPCResponsePart<MessageBytes>>.Closable
  typealias Handler = @Sendable (RPCStream<Inbound, Outbound>, ServerContext) async -> Void

  /// Descriptors by path.
  var methods: [String: MethodDescriptor]
  var maxRequestBytes: Int
  var compressesResponses: Bool
  var http2: HTTP2Limits
  var handler: Handler

  /// Runs the handler of one call, from its first part to its last.
  func run(_ call: ServerCall, remotePeer: String, localPeer: String, specifics: CallPeer) async {
    await withServerContextRPCCancellationHandle { handle in
      call.onEventLoop { call.attach(handle) }
      var context = ServerContext(
        descriptor: call.descriptor, remotePeer: remotePeer, localPeer: localPeer, cancellation: handle)
      context.transportSpecific = specifics
      let stream = RPCStream(
        descriptor: call.descriptor,
        inbound: RPCAsyncSequence(wrapping: call.inbound),
        outbound: RPCWriter.Closable(wrapping: ServerCallWriter(call: call)))
      await handler(stream, context)
    }
    call.onEventLoop { call.handlerReturned() }
  }
}

/// Writes the response of a call.
struct ServerCallWriter: ClosableRPCWriterProtocol {
  typealias Element = RPCResponsePart<MessageBytes>

  let call: ServerCall

  func write(_ part: Element) async throws {
    let mustWait: Bool
    if call.eventLoop.inEventLoop {
      mustWait = try call.write(part)
    } else {
      mustWait = try await call.eventLoop.submit { try call.write(part) }.get()
    }
    if mustWait { try await call.gate.waitForRoom() }
  }

  func write(contentsOf parts: some Sequence<Element>) async throws {
    for part in parts { try await write(part) }
  }

  func finish() async {
    call.onEventLoop { call.finishResponse() }
  }

  func finish(throwing error: any Error) async {
    call.onEventLoop { call.abortResponse() }
  }
}

extension ServerCall {
  /// Runs `body` on the event loop of the call, at once if the caller is on it.
  func onEventLoop(_ body: @escaping @Sendable () -> Void) {
    if eventLoop.inEventLoop {
      body()
    } else {
      eventLoop.execute(body)
    }
  }
}
