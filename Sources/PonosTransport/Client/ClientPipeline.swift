import NIOCore

/// The handlers of one connection of a client, from the network inwards: TLS, HTTP/2 with the calls.
enum ClientPipeline {
  static func configure(
    _ channel: any Channel, settings: ClientTransportSettings, headers: RequestHeaderEncoder,
    ready: EventLoopPromise<ClientConnectionRole>, retired: EventLoopPromise<Void>
  ) throws {
    var http2 = settings.http2
    // Servers reset streams whose request they no longer need; as a client there is nothing in that to be attacked with. More than
    // this nobody answers in a second.
    http2.maxResetsPerSecond = max(http2.maxResetsPerSecond, 10_000)
    let link = ConnectionLink(
      eventLoop: channel.eventLoop, http2: http2, maxMessageBytes: settings.maxResponseBytes,
      connection: limits(settings))
    let role = ClientConnectionRole(headers: headers, link: link, ready: ready, retired: retired)
    let pipeline = channel.pipeline.syncOperations
    if let security = settings.security { try pipeline.addHandler(security.makeHandler(host: settings.host)) }
    try pipeline.addHandler(ConnectionHandler(link: link, role: role, isServer: false, limits: http2))
  }

  private static func limits(_ settings: ClientTransportSettings) -> ConnectionLimits {
    var limits = ConnectionLimits()
    limits.handshakeTime = TimeAmount(settings.connectTimeout)
    limits.keepaliveInterval = settings.keepaliveInterval.map { TimeAmount($0) }
    limits.keepaliveTimeout = TimeAmount(settings.keepaliveTimeout)
    limits.keepaliveWithoutCalls = false
    limits.maxIdleTime = settings.maxIdleTime.map { TimeAmount($0) }
    limits.announcementTime = nil
    // A client waits for its calls as long as their deadlines say, and has nothing to tell once they have ended.
    limits.drainTime = .hours(24 * 365)
    limits.lingerTime = .zero
    return limits
  }
}
