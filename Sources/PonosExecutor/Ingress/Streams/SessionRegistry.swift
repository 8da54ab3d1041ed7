import PonosCore
import Synchronization

/// The open sessions: bounds how many there are, and ends them all when the daemon stops.
package final class SessionRegistry: Sendable {
  private struct State {
    var sessions: [UInt64: Entry] = [:]
    var lastNumber: UInt64 = 0
    var isStopped = false
  }

  private struct Entry {
    let session: AggregatorSession
    let peer: String
  }

  /// A peer that dialled us and has not proven who it is.
  struct UnauthenticatedPeer: Sendable {
    /// Number of its session: the older the session, the lower.
    let number: UInt64
    /// The host it comes from.
    let host: String
  }

  /// Sessions at a time, those in their handshake included.
  private static let maxSessions = 1024
  /// Sessions in their handshake at a time, of peers that dialled us.
  static let maxUnauthenticated = 256

  private let settings: AggregatorSession.Machine.Settings
  private let dependencies: SessionDependencies
  private let state = Mutex(State())

  package init(settings: AggregatorSession.Machine.Settings, dependencies: SessionDependencies) {
    self.settings = settings
    self.dependencies = dependencies
  }

  /// Runs `body` with a new session and returns how that ended; nil when there is no room for one, or the daemon stops.
  ///
  /// - Parameters:
  ///   - wanted: Whom we dialled; nil where an aggregator dialled us.
  ///   - peer: The other end's address, as gRPC has it.
  func withSession(
    wanted: TaskOwner?, peer: String = "", _ body: (AggregatorSession) async -> Void
  ) async -> (end: SessionEnd, wasEstablished: Bool)? {
    guard let session = open(wanted, peer) else { return nil }
    defer { state.withLock { $0.sessions[session.number] = nil } }
    session.open()
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await session.runClock() }
      await body(session)
      group.cancelAll()
    }
    return (session.conclude(), session.wasEstablished)
  }

  /// Ends every session and opens no more.
  func stop() {
    let sessions = state.withLock { state in
      state.isStopped = true
      return state.sessions.values.map(\.session)
    }
    for session in sessions { session.end(.stopping) }
  }

  var isStopped: Bool { state.withLock { $0.isStopped } }

  /// Sessions at the moment.
  var sessionCount: Int { state.withLock { $0.sessions.count } }

  /// Whether there is a session with an owner at the moment, whoever dialled.
  func hasSession(with owner: TaskOwner) -> Bool {
    state.withLock { $0.sessions.values.contains { $0.session.currentOwner == owner } }
  }

  /// The session that makes room for a newcomer: the oldest one of the host with the most peers. A host that opens many sessions
  /// so crowds out its own.
  static func evictionCandidate(among peers: [UnauthenticatedPeer]) -> UInt64? {
    let hosts = Dictionary(grouping: peers, by: \.host).mapValues { (count: $0.count, oldest: $0.map(\.number).min() ?? 0) }
    return hosts.values.max { ($0.count, $1.oldest) < ($1.count, $0.oldest) }?.oldest
  }

  /// The address without its port.
  private static func host(of peer: String) -> String {
    peer.lastIndex(of: ":").map { String(peer[..<$0]) } ?? peer
  }

  private func open(_ wanted: TaskOwner?, _ peer: String) -> AggregatorSession? {
    let (session, evicted) = state.withLock { state -> (AggregatorSession?, AggregatorSession?) in
      guard !state.isStopped else { return (nil, nil) }
      let peers = state.sessions.values.filter(\.session.isUnauthenticated).map {
        UnauthenticatedPeer(number: $0.session.number, host: Self.host(of: $0.peer))
      }
      let number = peers.count < Self.maxUnauthenticated ? nil : Self.evictionCandidate(among: peers)
      let loser = number.flatMap { state.sessions.removeValue(forKey: $0)?.session }
      guard state.sessions.count < Self.maxSessions else { return (nil, loser) }
      state.lastNumber += 1
      let session = AggregatorSession(
        number: state.lastNumber, wanted: wanted, settings: settings, dependencies: dependencies)
      state.sessions[session.number] = Entry(session: session, peer: peer)
      return (session, loser)
    }
    evicted?.end(.crowdedOut)
    return session
  }
}
