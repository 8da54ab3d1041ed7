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
    /// Close the connection, with open calls if there are any.
    case close
  }

  private enum Phase {
    case handshake
    case open
    /// Shutdown announced, its PING not yet answered.
    case announced
    /// Calls refused; closes with the last open call.
    case refusing
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
    case .refusing, .closed: false
    }
  }

  /// Open calls.
  package var openCalls: Int { calls }

  /// Whether the connection has begun to shut down.
  package var isDraining: Bool { drainingSince != nil }

  /// Notes that the peer completed the handshake: its SETTINGS arrived.
  package mutating func handshakeCompleted() {
    if phase == .handshake { phase = .open }
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
    return closeIfDrained()
  }

  /// Begins a graceful shutdown.
  package mutating func beginShutdown(at now: NIODeadline) -> Action? {
    guard drainingSince == nil, phase != .closed else { return nil }
    drainingSince = now
    guard phase == .open else {
      phase = .closed
      return .close
    }
    phase = .announced
    return .announceShutdown
  }

  /// Notes that the peer answered the PING behind the announcement: every call it begins from now on knows of it.
  package mutating func announcementArrived() -> Action? {
    guard phase == .announced else { return nil }
    phase = .refusing
    return .refuseCalls
  }

  /// Notes that the peer will begin no more calls, or accept none.
  package mutating func peerIsLeaving(at now: NIODeadline) -> Action? {
    if drainingSince == nil { drainingSince = now }
    if phase != .closed { phase = .refusing }
    return closeIfDrained()
  }

  /// Says whether nothing keeps a refusing connection open any more.
  package mutating func closeIfDrained() -> Action? {
    guard phase == .refusing, calls == 0 else { return nil }
    phase = .closed
    return .close
  }

  /// The earliest time at which ``advance(to:)`` may have something to do.
  package var nextDeadline: NIODeadline? {
    switch phase {
    case .handshake: openedAt + limits.handshakeTime
    case .open: earliest(keepaliveDeadline, idleDeadline, ageDeadline)
    case .announced, .refusing: earliest(keepaliveDeadline, drainDeadline)
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
      if isDue(ageDeadline, now) || isIdleShutdown { return beginShutdown(at: now) }
      return advanceKeepalive(to: now)
    case .announced, .refusing:
      return isDue(drainDeadline, now) ? close() : advanceKeepalive(to: now)
    case .closed:
      return nil
    }
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

  private var drainDeadline: NIODeadline? {
    drainingSince.map { $0 + limits.drainTime }
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
  /// Open calls may take this long after a shutdown began; then the connection closes with them.
  package var drainTime = TimeAmount.seconds(30)

  package init() {}
}
