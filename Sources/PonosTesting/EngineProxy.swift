import NIOCore
import NIOPosix
import PonosDocker
import Synchronization

/// A unix socket that leads to a Docker Engine until a test makes it stop doing so: the engine then seems hung, or gone.
package final class EngineProxy: Sendable {
  private struct State {
    var isFrozen = false
    var listener: (any Channel)?
    var connections: [any Channel] = []
  }

  private let upstream: String
  /// Path of the socket.
  package let path: String
  private let state = Mutex(State())

  /// - Parameter upstream: Path of the engine's socket.
  package init(upstream: String) {
    self.upstream = upstream
    path = "/tmp/ponos-proxy-\(UInt64.random(in: 0 ... .max)).sock"
  }

  /// Listens, as an engine does that was started.
  package func start() async throws {
    let listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .childChannelOption(.autoRead, value: false)
      .childChannelInitializer { [self] connection in forward(connection) }
      .bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true).get()
    state.withLock { $0.listener = listener }
  }

  /// Closes every connection and the socket, as an engine does that is killed.
  package func stop() async throws {
    let (listener, connections) = state.withLock { state in
      defer {
        state.listener = nil
        state.connections = []
      }
      return (state.listener, state.connections)
    }
    try await listener?.close()
    connections.forEach { $0.close(promise: nil) }
  }

  /// Takes connections and answers nothing, as an engine does that is stopped with SIGSTOP; `isFrozen` false goes on where it was.
  package func freeze(_ isFrozen: Bool) {
    let connections = state.withLock { state in
      state.isFrozen = isFrozen
      return state.connections
    }
    connections.forEach { $0.setOption(.autoRead, value: !isFrozen).whenFailure { _ in } }
  }

  private func forward(_ connection: any Channel) -> EventLoopFuture<Void> {
    ClientBootstrap(group: connection.eventLoop)
      .channelOption(.autoRead, value: false)
      .channelInitializer { $0.pipeline.addHandler(Forwarder(to: connection)) }
      .connect(unixDomainSocketPath: upstream)
      .flatMap { [self] engine in
        connection.pipeline.addHandler(Forwarder(to: engine)).flatMap { [self] in
          let isFrozen = state.withLock { state in
            state.connections += [connection, engine]
            return state.isFrozen
          }
          return connection.setOption(.autoRead, value: !isFrozen)
            .and(engine.setOption(.autoRead, value: !isFrozen)).map { _ in }
        }
      }
  }

  /// Writes what it reads to another channel, and closes that with its own.
  private final class Forwarder: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer
    private let other: any Channel

    init(to other: any Channel) {
      self.other = other
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      other.writeAndFlush(unwrapInboundIn(data), promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
      other.close(promise: nil)
    }
  }
}
