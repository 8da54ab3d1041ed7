import GRPCCore
import NIOCore
import Synchronization

/// An open connection, as the pool and the calls of other threads hold it.
final class ClientConnection: PooledConnection {
  let id: UInt64
  let lane: Int
  let channel: any Channel
  let role: ClientConnectionRole
  let executor: EventLoopTaskExecutor
  let remotePeer: String
  let localPeer: String
  /// Succeeds when the connection takes no more calls, at the latest when it is closed.
  let retired: EventLoopFuture<Void>

  init(
    id: UInt64, lane: Int, channel: any Channel, role: ClientConnectionRole, executor: EventLoopTaskExecutor,
    remotePeer: String, localPeer: String, retired: EventLoopFuture<Void>
  ) {
    self.id = id
    self.lane = lane
    self.channel = channel
    self.role = role
    self.executor = executor
    self.remotePeer = remotePeer
    self.localPeer = localPeer
    self.retired = retired
  }

  var callLimit: Int { role.callLimit.load(ordering: .relaxed) }

  /// Lets open calls end, then closes.
  func beginShutdown() {
    channel.pipeline.fireUserInboundEventTriggered(ConnectionHandler.ShutdownRequest())
  }

  /// Waits until the connection is closed; cancelling closes it at once.
  func closed() async {
    await withTaskCancellationHandler {
      _ = try? await channel.closeFuture.get()
    } onCancel: {
      channel.close(promise: nil)
    }
  }

  /// How a connection came to take no more calls.
  struct Retirement: Sendable {
    /// Whether its own idle limit shut it down, as opposed to the peer or an error.
    var isIdle: Bool
    /// Whether the server has completed a call on it.
    var hasServed: Bool
    /// Whether the server said that it would leave, and named no error.
    var isOrderly: Bool
  }

  /// To be asked when the connection has retired.
  func retirement() async throws -> Retirement {
    let role = role
    return try await channel.eventLoop.submit {
      Retirement(isIdle: role.link.isIdleShutdown, hasServed: role.hasServed, isOrderly: role.endedInOrder)
    }.get()
  }
}
