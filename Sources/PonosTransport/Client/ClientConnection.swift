import GRPCCore
import NIOCore
import NIOHTTP2
import NIOPosix

/// An open connection, as the pool and the calls of other threads hold it.
struct ClientConnection: Sendable {
  let channel: any Channel
  let handler: ClientConnectionHandler
  let executor: EventLoopTaskExecutor
  let remotePeer: String
  let localPeer: String

  /// Whether the connection still takes calls, as far as this thread can know.
  var isUsable: Bool { !handler.isDraining }

  /// Lets open calls end, then closes.
  func beginShutdown() {
    channel.pipeline.fireUserInboundEventTriggered(ClientConnectionHandler.ShutdownRequest())
  }
}

/// Opens connections to one peer.
struct ClientConnector: Sendable {
  let settings: ClientTransportSettings
  let group: MultiThreadedEventLoopGroup
  let executors: EventLoopTaskExecutors
  let resolver: HostResolver
  let stop: StopSignal

  init(_ settings: ClientTransportSettings, group: MultiThreadedEventLoopGroup, stop: StopSignal) {
    self.settings = settings
    self.group = group
    executors = EventLoopTaskExecutors(group)
    resolver = HostResolver(lifetime: settings.nameLifetime)
    self.stop = stop
  }

  /// A connection over which the server has sent its first frame; tries each address of the peer once.
  func connect() async throws -> ClientConnection {
    switch settings.address {
    case .unix(let path):
      return try await attempt { $0.connect(unixDomainSocketPath: path) }
    case .tcp(let host, let port):
      var last: any Error = RPCError(code: .unavailable, message: "the name \(host) has no address")
      for address in try await resolver.addresses(host: host, port: port) {
        do {
          return try await attempt { $0.connect(to: address) }
        } catch {
          guard !stop.isSet else { throw error }
          last = error
        }
      }
      resolver.forget()
      throw last
    }
  }

  private func attempt(_ connect: (ClientBootstrap) -> EventLoopFuture<any Channel>) async throws -> ClientConnection {
    let loop = group.next()
    let ready = loop.makePromise(of: Void.self)
    let headers = self.headers
    let settings = self.settings
    let bootstrap = ClientBootstrap(group: loop)
      .connectTimeout(TimeAmount(settings.connectTimeout))
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try ClientPipeline.configure(channel, settings: settings, headers: headers, ready: ready)
        }
      }
    let connected = connect(bootstrap)
    connected.cascadeFailure(to: ready)
    // The handshake has its own limit; a stop closes what is half open.
    let channel = try await waitForChannel(connected)
    do {
      try await stop.wait(for: ready.futureResult)
      let handler = try await channel.pipeline.handler(type: ClientConnectionHandler.self).get()
      return ClientConnection(
        channel: channel, handler: handler, executor: executors.executor(for: loop),
        remotePeer: channel.remoteAddress.peerName, localPeer: channel.localAddress.peerName)
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

  private var headers: RequestHeaders {
    let authority =
      switch settings.address {
      case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
      case .unix: "localhost"
      }
    return RequestHeaders(
      scheme: settings.security == nil ? "http" : "https", authority: settings.authority ?? authority,
      userAgent: "grpc-swift-ponos/1")
  }
}

/// The handlers of one connection of a client, from the network inwards: TLS, PING guard, HTTP/2, calls.
enum ClientPipeline {
  static func configure(
    _ channel: any Channel, settings: ClientTransportSettings, headers: RequestHeaders, ready: EventLoopPromise<Void>
  ) throws {
    let pipeline = channel.pipeline.syncOperations
    if let security = settings.security { try pipeline.addHandler(security.makeHandler(host: settings.host)) }
    var http2 = settings.http2
    // Servers reset streams whose request they no longer need; as a client there is nothing in that to be attacked with.
    http2.maxResetsPerTenSeconds = max(http2.maxResetsPerTenSeconds, 20_000)
    let watcher = FrameWatcher()
    let link = ConnectionLink(
      eventLoop: channel.eventLoop, isServer: false, http2: http2, connection: limits(settings))
    try pipeline.addHandler(PingGuard(isServer: false))
    try pipeline.addHandler(http2.makeHandler(mode: .client, watcher: watcher))
    try pipeline.addHandler(ClientConnectionHandler(headers: headers, link: link, watcher: watcher, ready: ready))
  }

  private static func limits(_ settings: ClientTransportSettings) -> ConnectionLimits {
    var limits = ConnectionLimits()
    limits.handshakeTime = TimeAmount(settings.connectTimeout)
    limits.keepaliveInterval = settings.keepaliveInterval.map { TimeAmount($0) }
    limits.keepaliveTimeout = TimeAmount(settings.keepaliveTimeout)
    limits.keepaliveWithoutCalls = false
    limits.maxIdleTime = settings.maxIdleTime.map { TimeAmount($0) }
    // A client waits for its calls as long as their deadlines say.
    limits.drainTime = .hours(24 * 365)
    return limits
  }
}
