import NIOCore

/// The handlers of one connection of a server, from the network inwards: reading, TLS, HTTP/2 with the calls.
enum ServerPipeline {
  static func configure(
    _ channel: any Channel, service: ServerCallService, executor: EventLoopTaskExecutor?, member: QuotaMember? = nil,
    finished: EventLoopPromise<Void>
  ) throws {
    let settings = service.settings
    let link = ConnectionLink(
      eventLoop: channel.eventLoop, http2: settings.http2, maxMessageBytes: settings.maxRequestBytes,
      maxUnsentBytes: settings.maxUnsentBytes, connection: limits(settings), member: member)
    let role = ServerConnectionRole(service: service, link: link, executor: executor, finished: finished)
    let pipeline = channel.pipeline.syncOperations
    try pipeline.addHandler(ReadWhileWritable())
    if let security = settings.security { try pipeline.addHandler(security.makeHandler()) }
    try pipeline.addHandler(ConnectionHandler(link: link, role: role, isServer: true, limits: settings.http2))
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
