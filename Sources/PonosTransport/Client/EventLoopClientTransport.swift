package import GRPCCore
import NIOCore
package import NIOPosix

/// A gRPC client transport over HTTP/2 in which a call lives on the event loop of its connection.
///
/// The task of a call moves to the loop for as long as the call lasts, so that a call to a peer that is connected costs one
/// switch there and one back, and its whole request leaves with one flush. Connections are opened when the client runs, opened
/// again when they are lost, and closed when they have been idle for long. More are opened while there are more calls than the
/// peer allows on those there are.
package final class EventLoopClientTransport: ClientTransport, Sendable {
  package typealias Bytes = MessageBytes

  package let retryThrottle: RetryThrottle? = nil

  private let settings: ClientTransportSettings
  private let pool: ConnectionPool

  /// - Parameter group: the loops that connections are spread over.
  package init(
    _ settings: ClientTransportSettings, group: MultiThreadedEventLoopGroup = .singletonMultiThreadedEventLoopGroup
  ) {
    self.settings = settings
    let stop = StopSignal()
    pool = ConnectionPool(settings, connector: ClientConnector(settings, group: group, stop: stop), stop: stop)
  }

  package func connect() async throws {
    await pool.run()
  }

  package func beginGracefulShutdown() {
    pool.close()
  }

  package func config(forMethod descriptor: MethodDescriptor) -> MethodConfig? {
    nil
  }

  package func withStream<T: Sendable>(
    descriptor: MethodDescriptor, options: CallOptions,
    _ closure: (_ stream: RPCStream<Inbound, Outbound>, _ context: ClientContext) async throws -> T
  ) async throws -> T {
    let waitsForReady = options.waitForReady ?? false
    let deadline = CallDeadline.current
    let connection = try await pool.connection(waitsForReady: waitsForReady, until: deadline)
    let call = makeCall(descriptor, options: options, connection: connection, deadline: deadline)
    let writer = ClientCallWriter(call: call) { [pool] retired, deadline in
      try await pool.connection(insteadOf: retired, waitsForReady: waitsForReady, until: deadline)
    }
    let stream = RPCStream(
      descriptor: descriptor,
      inbound: RPCAsyncSequence(wrapping: ResponsePartSequence(inbound: call.inbound)),
      outbound: RPCWriter.Closable(wrapping: writer))
    let context = ClientContext(
      descriptor: descriptor, remotePeer: connection.remotePeer, localPeer: connection.localPeer)
    return try await withTaskExecutorPreference(connection.executor) {
      defer {
        if call.eventLoop.inEventLoop {
          end(call)
        } else {
          call.eventLoop.execute { self.end(call) }
        }
      }
      return try await withTaskCancellationHandler {
        try await closure(stream, context)
      } onCancel: {
        call.onEventLoop { call.cancel() }
      }
    }
  }

  /// The caller has left. On the event loop.
  private func end(_ call: ClientCall) {
    call.leave()
    pool.callEnded(on: call.connection)
  }

  private func makeCall(
    _ descriptor: MethodDescriptor, options: CallOptions, connection: ClientConnection, deadline: NIODeadline?
  ) -> ClientCall {
    let machine = ClientStreamStateMachine(
      maxMessageBytes: options.maxResponseMessageBytes ?? settings.maxResponseBytes,
      maxRequestBytes: options.maxRequestMessageBytes ?? .max, compressesRequest: options.compression == .gzip)
    return ClientCall(
      descriptor, machine: machine, connection: connection, deadline: deadline)
  }
}
