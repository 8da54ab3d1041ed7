package import NIOCore

/// When a connection pings its peer, stops taking calls and closes: the clock of one connection as a value.
///
/// The shell reports what happens with the time it happened at, and asks ``advance(to:)`` at ``nextDeadline`` what to do.
/// Activity only moves time stamps; no timer is rescheduled for a call.
package struct ConnectionLifecycle: Sendable {
  /// What the shell is to do.
  package enum Action: Equatable, Sendable {
    /// Send a keepalive PING.
    case ping
    /// Announce that the connection will take no more calls, but keep taking those already on their way
    /// (GOAWAY with the highest stream id), followed by a PING that tells when the announcement has arrived.
    case announceShutdown
    /// Refuse further calls (GOAWAY with the id of the last stream taken).
    case refuseCalls
    /// No call is open: send a last GOAWAY, and report with ``farewellLeft(at:)`` when it and all before it has left.
    case sayFarewell
    /// Send no more, and let the peer close.
    case closeOutput
    /// Close the connection at once, with open calls if there are any.
    case close
  }

  private enum Phase {
    /// The peer's SETTINGS have not arrived.
    ///
    /// Can transition to ``open``, ``refusing``, ``leaving``, ``closed``.
    case handshake
    /// Calls are taken.
    ///
    /// Can transition to ``announced``, ``refusing``, ``leaving``, ``closed``.
    case open
    /// The shutdown has been announced, and its PING has not been answered; calls are still taken.
    ///
    /// Can transition to ``refusing``, ``leaving``, ``closed``.
    case announced
    /// Calls are refused, and those that are open go on.
    ///
    /// Can transition to ``leaving``, ``closed``.
    case refusing
    /// No call is open, and the last bytes are on their way to the network.
    ///
    /// Can transition to ``lingering``, ``closed``.
    case leaving
    /// Everything has been sent; the peer may read it in peace and close.
    ///
    /// Can transition to ``closed``.
    case lingering(since: NIODeadline)
    /// The shell has been told to close the channel.
    ///
    /// This state is terminal.
    case closed
  }

  private let limits: ConnectionLimits
  private let openedAt: NIODeadline
  private var phase = Phase.handshake
  private var calls = 0
  private var lastRead: NIODeadline
  private var idleSince: NIODeadline
  private var pingSentAt: NIODeadline?
  private var drainingSince: NIODeadline?
  /// When a drain closes the connection with the calls that are still open; nil never.
  private var drainDeadline: NIODeadline?
  /// Whether the connection shut itself down because it had no calls for long.
  package private(set) var isIdleShutdown = false

  package init(limits: ConnectionLimits, openedAt: NIODeadline) {
    self.limits = limits
    self.openedAt = openedAt
    lastRead = openedAt
    idleSince = openedAt
  }

  /// Whether new calls may begin.
  package var takesCalls: Bool {
    switch phase {
    case .handshake, .open, .announced: true
    case .refusing, .leaving, .lingering, .closed: false
    }
  }

  /// Open calls.
  package var openCalls: Int { calls }

  /// Notes that the peer completed the handshake: its SETTINGS arrived.
  package mutating func handshakeCompleted() {
    if case .handshake = phase { phase = .open }
  }

  /// Notes that bytes arrived.
  package mutating func received(at now: NIODeadline) {
    lastRead = now
    pingSentAt = nil
  }

  package mutating func callOpened() {
    calls += 1
  }

  /// Notes the end of a call; says whether that lets the connection close.
  package mutating func callClosed(at now: NIODeadline) -> Action? {
    calls -= 1
    guard calls == 0 else { return nil }
    idleSince = now
    guard case .refusing = phase else { return nil }
    return farewell(at: now)
  }

  /// Begins a graceful shutdown.
  package mutating func beginShutdown(at now: NIODeadline) -> Action? {
    limitDrain(to: now + limits.drainTime)
    return beginDrain(at: now)
  }

  /// A drain that is under way may be told to hurry, and never to take its time.
  private mutating func limitDrain(to deadline: NIODeadline) {
    drainDeadline = min(drainDeadline ?? deadline, deadline)
  }

  private mutating func beginDrain(at now: NIODeadline) -> Action? {
    guard drainingSince == nil else { return nil }
    switch phase {
    case .open:
      drainingSince = now
      guard limits.announcementTime != nil else { return refuseCalls(at: now) }
      phase = .announced
      return .announceShutdown
    case .handshake:
      return close()
    case .announced, .refusing, .leaving, .lingering, .closed:
      return nil
    }
  }

  /// Notes that the peer answered the PING behind the announcement: every call it begins from now on knows of it.
  package mutating func announcementArrived(at now: NIODeadline) -> Action? {
    guard case .announced = phase else { return nil }
    return refuseCalls(at: now)
  }

  /// Notes that the peer will begin no more calls, or accept none.
  package mutating func peerIsLeaving(at now: NIODeadline) -> Action? {
    if drainingSince == nil { drainingSince = now }
    limitDrain(to: now + limits.drainTime)
    switch phase {
    case .handshake, .open, .announced:
      phase = .refusing
      return calls == 0 ? farewell(at: now) : nil
    case .refusing, .leaving, .lingering, .closed:
      return nil
    }
  }

  /// Notes that the last GOAWAY, and so everything before it, has reached the socket.
  ///
  /// Closing a socket on which unread bytes of the peer have arrived makes the system abort the connection, and the peer may
  /// lose what it has not read yet. So the side that served calls only ends its output and leaves the closing to the peer.
  package mutating func farewellLeft(at now: NIODeadline) -> Action? {
    guard case .leaving = phase else { return nil }
    guard limits.lingerTime > .zero else { return close() }
    phase = .lingering(since: now)
    return .closeOutput
  }

  /// The earliest time at which ``advance(to:)`` may have something to do.
  package var nextDeadline: NIODeadline? {
    switch phase {
    case .handshake: openedAt + limits.handshakeTime
    case .open: earliest(keepaliveDeadline, idleDeadline, ageDeadline)
    case .announced: earliest(keepaliveDeadline, announcementDeadline, drainDeadline)
    case .refusing: earliest(keepaliveDeadline, drainDeadline)
    case .leaving: drainDeadline
    case .lingering(let since): since + limits.lingerTime
    case .closed: nil
    }
  }

  /// What is due at `now`; call again until it returns nil.
  package mutating func advance(to now: NIODeadline) -> Action? {
    switch phase {
    case .handshake:
      return isDue(openedAt + limits.handshakeTime, now) ? close() : nil
    case .open:
      if isDue(idleDeadline, now) { isIdleShutdown = true }
      if isIdleShutdown { return beginShutdown(at: now) }
      if isDue(ageDeadline, now) {
        if let grace = limits.maxAgeGrace { limitDrain(to: now + grace) }
        return beginDrain(at: now)
      }
      return advanceKeepalive(to: now)
    case .announced where isDue(announcementDeadline, now):
      return refuseCalls(at: now)
    case .announced, .refusing:
      return isDue(drainDeadline, now) ? close() : advanceKeepalive(to: now)
    case .leaving:
      return isDue(drainDeadline, now) ? close() : nil
    case .lingering(let since):
      return isDue(since + limits.lingerTime, now) ? close() : nil
    case .closed:
      return nil
    }
  }

  private mutating func refuseCalls(at now: NIODeadline) -> Action {
    phase = .refusing
    return calls == 0 ? farewell(at: now) : .refuseCalls
  }

  private mutating func farewell(at now: NIODeadline) -> Action {
    phase = .leaving
    // No call is left to be waited for.
    limitDrain(to: now + limits.drainTime)
    return .sayFarewell
  }

  private mutating func close() -> Action {
    phase = .closed
    return .close
  }

  private mutating func advanceKeepalive(to now: NIODeadline) -> Action? {
    guard isDue(keepaliveDeadline, now) else { return nil }
    guard pingSentAt == nil else { return close() }
    pingSentAt = now
    return .ping
  }

  private var keepaliveDeadline: NIODeadline? {
    guard let interval = limits.keepaliveInterval, calls > 0 || limits.keepaliveWithoutCalls else { return nil }
    return pingSentAt.map { $0 + limits.keepaliveTimeout } ?? lastRead + interval
  }

  private var idleDeadline: NIODeadline? {
    calls == 0 ? limits.maxIdleTime.map { idleSince + $0 } : nil
  }

  private var ageDeadline: NIODeadline? {
    limits.maxAge.map { openedAt + $0 }
  }

  private var announcementDeadline: NIODeadline? {
    guard let time = limits.announcementTime else { return nil }
    return drainingSince.map { $0 + time }
  }

  private func isDue(_ deadline: NIODeadline?, _ now: NIODeadline) -> Bool {
    deadline.map { $0 <= now } ?? false
  }

  private func earliest(_ deadlines: NIODeadline?...) -> NIODeadline? {
    deadlines.compactMap { $0 }.min()
  }
}

/// The times a connection lives by.
package struct ConnectionLimits: Sendable {
  /// From accepting or opening the connection to the peer's SETTINGS, with the TLS handshake.
  package var handshakeTime = TimeAmount.seconds(20)
  /// Silence after which the peer is asked for a sign of life; nil never asks.
  package var keepaliveInterval: TimeAmount?
  /// How long a peer may take to answer before it counts as gone.
  package var keepaliveTimeout = TimeAmount.seconds(20)
  /// Whether connections without calls are kept alive too.
  package var keepaliveWithoutCalls = true
  /// Connections without calls are shut down after this long; nil never.
  package var maxIdleTime: TimeAmount?
  /// Connections are shut down at this age; nil never.
  package var maxAge: TimeAmount?
  /// Calls that are open at that age may take this long; nil as long as they like.
  package var maxAgeGrace: TimeAmount?
  /// Longest time between the announcement of a shutdown and the refusal of calls; a peer that is alive answers sooner. Nil on
  /// the side that begins the calls, which has nothing to announce.
  package var announcementTime: TimeAmount? = .seconds(5)
  /// Open calls may take this long after a shutdown began; then the connection closes with them.
  package var drainTime = TimeAmount.seconds(30)
  /// How long the peer may take to close its side after the last byte of ours; zero closes at once.
  package var lingerTime = TimeAmount.seconds(1)

  package init() {}
}
