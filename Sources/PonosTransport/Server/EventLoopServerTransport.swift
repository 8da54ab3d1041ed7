import Glibc
package import GRPCCore
package import NIOCore
package import NIOPosix
import Synchronization

/// A gRPC server transport over HTTP/2 in which a call lives on the event loop of its connection.
///
/// Frames, state machines and, unless told otherwise, the handler of a call share one thread, so that a call costs no thread
/// switch and its response leaves with one flush. Both sides' flow-control windows are respected: a handler that does not read
/// stops the client, a client that does not read suspends the handler. ``listen(streamHandler:)`` returns when the last
/// connection is closed and the last handler has returned.
package final class EventLoopServerTransport: ServerTransport, Sendable {
  package typealias Bytes = MessageBytes

  private let settings: ServerTransportSettings
  private let group: MultiThreadedEventLoopGroup
  private let executors: EventLoopTaskExecutors
  private let quota: ResourceQuota
  private let state = Mutex(ServerListenerState())

  /// - Parameter group: the loops that connections are spread over.
  package init(
    _ settings: ServerTransportSettings, group: MultiThreadedEventLoopGroup = .singletonMultiThreadedEventLoopGroup
  ) {
    self.settings = settings
    self.group = group
    executors = EventLoopTaskExecutors(group)
    quota = settings.quota ?? ResourceQuota()
  }

  package func configure(context: GRPCServerContext) {
    let served = context.methods.map { ("/\($0.fullyQualifiedMethod)", settings.served($0)) }
    let methods = Dictionary(served) { first, _ in first }
    state.withLock { $0.methods = methods }
  }

  package func listen(
    streamHandler: @escaping @Sendable (RPCStream<Inbound, Outbound>, ServerContext) async -> Void
  ) async throws {
    guard state.withLock({ $0.begin() }) else {
      settleBound(.failure(Self.stopped))
      return
    }
    let service = ServerCallService(methods: state.withLock { $0.methods }, settings: settings, handler: streamHandler)
    let listeners = try await bind(service)
    settleBound(listeners[0].localAddress.map(Result.success) ?? .failure(Self.stopped))
    let socketFile = self.socketFile
    if !state.withLock({ $0.didBind(listeners) }) {
      // The server was told to stop in the meantime; what it has accepted since it was bound is to be waited for as ever.
      for listener in listeners { listener.close(promise: nil) }
    }
    await withTaskCancellationHandler {
      for listener in listeners { try? await listener.closeFuture.get() }
      socketFile?.remove()
      await lastConnectionGone()
    } onCancel: {
      for channel in state.withLock({ $0.stop() }) { channel.close(promise: nil) }
    }
    // A listener that died by itself leaves the connections it accepted; they are gone by now.
    state.withLock { _ = $0.stop() }
  }

  package func beginGracefulShutdown() {
    let (listeners, connections) = state.withLock { $0.beginDraining() }
    for listener in listeners { listener.close(promise: nil) }
    for connection in connections {
      connection.pipeline.fireUserInboundEventTriggered(ConnectionHandler.ShutdownRequest())
    }
  }

  /// The address the listener is bound to; waits until it is bound, and throws when it could not bind or was stopped before.
  package var listeningAddress: SocketAddress {
    get async throws {
      try await withCheckedThrowingContinuation { continuation in
        if let known = state.withLock({ $0.awaitBound(continuation) }) { continuation.resume(with: known) }
      }
    }
  }

  /// The port the listener is bound to; waits until it is bound, and throws when it could not bind.
  package func boundPort() async throws -> Int {
    guard let port = try await listeningAddress.port else {
      throw RPCError(code: .internalError, message: "the listener is bound to a unix socket, which has no port")
    }
    return port
  }

  // MARK: Binding

  private static var stopped: RPCError {
    RPCError(code: .unavailable, message: "the server was stopped before it could bind")
  }

  private func settleBound(_ result: Result<SocketAddress, any Error>) {
    for waiter in state.withLock({ $0.settleBound(result) }) { waiter.resume(with: result) }
  }

  private var socketFile: UnixSocketFile? {
    if case .unix(let path) = settings.address { UnixSocketFile(path: path) } else { nil }
  }

  private func bind(_ service: ServerCallService) async throws -> [any Channel] {
    do {
      switch settings.address {
      case .unix(let path):
        return [try await bootstrap(service, on: group).bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true).get()]
      case .tcp(let host, let port):
        return try await bindTCP(service, host: host, port: port)
      }
    } catch {
      settleBound(.failure(error))
      throw error
    }
  }

  /// Binds the first socket, whose port the system may choose, and then the others to the same port.
  private func bindTCP(_ service: ServerCallService, host: String, port: Int) async throws -> [any Channel] {
    guard settings.listeners > 1 else {
      return [try await bootstrap(service, on: group).bind(host: host, port: port).get()]
    }
    var channels: [any Channel] = []
    do {
      for _ in 0..<settings.listeners {
        let shared = bootstrap(service, on: group.next())
          .serverChannelOption(.socketOption(NIOBSDSocket.Option(rawValue: SO_REUSEPORT)), value: 1)
        let known = channels.first?.localAddress?.port ?? port
        channels.append(try await shared.bind(host: host, port: known).get())
      }
    } catch {
      for channel in channels { channel.close(promise: nil) }
      throw error
    }
    return channels
  }

  private func bootstrap(_ service: ServerCallService, on loops: any EventLoopGroup) -> ServerBootstrap {
    ServerBootstrap(group: loops)
      .serverChannelOption(.backlog, value: 1_024)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .serverChannelInitializer { listener in
        listener.eventLoop.makeCompletedFuture {
          try listener.pipeline.syncOperations.addHandler(AcceptPause())
        }
      }
      // The buffer that an idle connection keeps is small; reads that fill it make it grow.
      .childChannelOption(
        .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 256, initial: 256, maximum: 65_536)
      )
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try self.configure(channel, for: service) }
      }
  }

  // MARK: Connections

  private func configure(_ channel: any Channel, for service: ServerCallService) throws {
    let member = try admit(channel)
    guard state.withLock({ $0.add(channel) }) else { throw Self.stopped }
    let finished = channel.eventLoop.makePromise(of: Void.self)
    finished.futureResult.whenComplete { _ in self.state.withLock { $0.remove(channel) }?.resume() }
    let executor = settings.runsHandlersOnEventLoop ? executors.executor(for: channel.eventLoop) : nil
    do {
      try ServerPipeline.configure(
        channel, service: service, executor: executor, member: member, finished: finished)
    } catch {
      finished.fail(error)
      throw error
    }
  }

  /// Takes a place for a connection from the quota until its socket is closed. Another may have to go for it.
  private func admit(_ channel: any Channel) throws -> QuotaMember {
    let member = quota.admit(PeerAddress(channel.remoteAddress).host) { limit in
      // On a loop of its own: not while a connection is being accepted, or a call served.
      channel.eventLoop.execute {
        channel.pipeline.fireUserInboundEventTriggered(ConnectionHandler.Eviction(limit: limit))
      }
    }
    guard let member else {
      throw RPCError(code: .resourceExhausted, message: "the server takes no more connections, or none of this host")
    }
    channel.closeFuture.whenComplete { _ in member.quota.remove(member.lease) }
    return member
  }

  private func lastConnectionGone() async {
    await withCheckedContinuation { continuation in
      if !state.withLock({ $0.awaitEmpty(continuation) }) { continuation.resume() }
    }
  }
}
