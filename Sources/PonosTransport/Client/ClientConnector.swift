import GRPCCore
import NIOCore
import NIOPosix
import Synchronization

/// Opens connections to one peer.
final class ClientConnector: Sendable {
  private let settings: ClientTransportSettings
  private let group: MultiThreadedEventLoopGroup
  private let executors: EventLoopTaskExecutors
  private let resolver: HostResolver
  private let stop: StopSignal
  private let numbers = Atomic<UInt64>(0)

  init(_ settings: ClientTransportSettings, group: MultiThreadedEventLoopGroup, stop: StopSignal) {
    self.settings = settings
    self.group = group
    executors = EventLoopTaskExecutors(group)
    resolver = HostResolver(lifetime: settings.nameLifetime)
    self.stop = stop
  }

  /// The loop for the connections of one more lane.
  func nextEventLoop() -> any EventLoop { group.next() }

  /// A connection over which the server has sent its first frame; tries each address of the peer once.
  func connect(lane: Int, on loop: any EventLoop) async throws -> ClientConnection {
    switch settings.address {
    case .unix(let path):
      return try await attempt(lane: lane, on: loop) { $0.connect(unixDomainSocketPath: path) }
    case .tcp(let host, let port):
      var last: any Error = RPCError(code: .unavailable, message: "the name \(host) has no address")
      for address in try await stop.wait(for: resolver.addresses(host: host, port: port, on: loop)) {
        do {
          return try await attempt(lane: lane, on: loop) { $0.connect(to: address) }
        } catch {
          guard !stop.isSet else { throw error }
          last = error
        }
      }
      resolver.forget()
      throw last
    }
  }

  private func attempt(
    lane: Int, on loop: any EventLoop, _ connect: (ClientBootstrap) -> EventLoopFuture<any Channel>
  ) async throws -> ClientConnection {
    let ready = loop.makePromise(of: ClientConnectionRole.self)
    let retired = loop.makePromise(of: Void.self)
    let (headers, settings) = (headers, settings)
    let bootstrap = ClientBootstrap(group: loop)
      .connectTimeout(TimeAmount(settings.connectTimeout))
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try ClientPipeline.configure(channel, settings: settings, headers: headers, ready: ready, retired: retired)
        }
      }
    let connected = connect(bootstrap)
    connected.cascadeFailure(to: ready)
    connected.cascadeFailure(to: retired)
    // The handshake has its own limit; a stop closes what is half open.
    let channel = try await waitForChannel(connected)
    do {
      return ClientConnection(
        id: numbers.wrappingAdd(1, ordering: .relaxed).newValue, lane: lane, channel: channel,
        role: try await stop.wait(for: ready.futureResult), executor: executors.executor(for: loop),
        remotePeer: channel.remoteAddress.peerName, localPeer: channel.localAddress.peerName, retired: retired.futureResult)
    } catch {
      channel.close(promise: nil)
      throw error
    }
  }

  private func waitForChannel(_ connected: EventLoopFuture<any Channel>) async throws -> any Channel {
    do {
      return try await stop.wait(for: connected)
    } catch {
      connected.whenSuccess { $0.close(promise: nil) }
      throw error
    }
  }

  private var headers: RequestHeaderEncoder {
    let authority =
      switch settings.address {
      case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
      case .unix: "localhost"
      }
    return RequestHeaderEncoder(
      scheme: settings.security == nil ? "http" : "https", authority: settings.authority ?? authority,
      userAgent: "grpc-swift-ponos/1")
  }
}
