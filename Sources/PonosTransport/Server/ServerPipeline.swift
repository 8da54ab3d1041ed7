import NIOCore
import NIOHTTP2

/// The handlers of one connection of a server, from the network inwards: reading, TLS, joining of writes, announcements,
/// PING guard, HTTP/2, calls.
enum ServerPipeline {
  static func configure(
    _ channel: any Channel, settings: ServerTransportSettings, service: ServerCallService,
    executor: EventLoopTaskExecutor?, finished: EventLoopPromise<Void>
  ) throws {
    let watcher = FrameWatcher()
    let link = ConnectionLink(
      eventLoop: channel.eventLoop, http2: settings.http2, maxMessageBytes: settings.maxRequestBytes,
      connection: limits(settings))
    let role = ServerConnectionRole(service: service, link: link, executor: executor, finished: finished)
    let pipeline = channel.pipeline.syncOperations
    try pipeline.addHandler(ReadWhileWritable())
    if let security = settings.security { try pipeline.addHandler(security.makeHandler()) }
    try pipeline.addHandler(WriteCoalescer())
    try pipeline.addHandler(ShutdownAnnouncer())
    try pipeline.addHandler(PingGuard(isServer: true, resets: settings.http2.resets, maxPayload: settings.http2.maxPayload))
    try pipeline.addHandler(settings.http2.makeHandler(mode: .server, watcher: watcher))
    try pipeline.addHandler(ConnectionHandler(link: link, role: role, watcher: watcher))
  }

  private static func limits(_ settings: ServerTransportSettings) -> ConnectionLimits {
    var limits = ConnectionLimits()
    limits.handshakeTime = TimeAmount(settings.handshakeTimeout)
    limits.keepaliveInterval = settings.keepaliveInterval.map { TimeAmount($0) }
    limits.keepaliveTimeout = TimeAmount(settings.keepaliveTimeout)
    limits.maxIdleTime = TimeAmount(settings.maxIdleTime)
    // Spread, so that clients that connected together do not come back together.
    limits.maxAge = settings.maxAge.map { TimeAmount($0 * Double.random(in: 0.9...1.1)) }
    limits.maxAgeGrace = settings.maxAgeGrace.map { TimeAmount($0) }
    limits.drainTime = TimeAmount(settings.drainTime)
    return limits
  }
}
