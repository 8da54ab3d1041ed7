import PonosCore
import Synchronization

/// Opens sessions, as many as there may be, and ends them all when the daemon stops.
package final class SessionDesk: Sendable {
  private struct State {
    var sessions: [UInt64: Seat] = [:]
    var lastNumber: UInt64 = 0
    var isStopped = false
  }

  private struct Seat {
    let session: AggregatorSession
    let peer: String
  }

  /// Somebody who dialled us and has not proven anything.
  struct Stranger: Sendable {
    /// Of its session; the older, the lower.
    let number: UInt64
    /// The host it comes from.
    let host: String
  }

  /// Sessions at a time, those in their handshake included.
  private static let maxSessions = 1024
  /// Sessions in their handshake at a time, of peers that dialled us.
  static let maxStrangers = 256

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
    wanted: StreamParty?, peer: String = "", _ body: (AggregatorSession) async -> Void
  ) async -> (end: SessionEnd, wasEstablished: Bool)? {
    guard let session = open(wanted, peer) else { return nil }
    defer { state.withLock { $0.sessions[session.number] = nil } }
    session.open()
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await session.beat() }
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

  /// Whether there is a session with a party at the moment, whoever dialled.
  func hasSession(with party: StreamParty) -> Bool {
    state.withLock { $0.sessions.values.contains { $0.session.currentParty == party } }
  }

  /// Who makes room for a newcomer: of the host with the most strangers, the oldest, who has had the most time. So whoever opens many
  /// sessions crowds out its own.
  static func crowdedOut(of strangers: [Stranger]) -> UInt64? {
    let hosts = Dictionary(grouping: strangers, by: \.host).mapValues { (count: $0.count, oldest: $0.map(\.number).min() ?? 0) }
    return hosts.values.max { ($0.count, $1.oldest) < ($1.count, $0.oldest) }?.oldest
  }

  /// The address without its port.
  private static func host(of peer: String) -> String {
    peer.lastIndex(of: ":").map { String(peer[..<$0]) } ?? peer
  }

  private func open(_ wanted: StreamParty?, _ peer: String) -> AggregatorSession? {
    let (session, crowdedOut) = state.withLock { state -> (AggregatorSession?, AggregatorSession?) in
      guard !state.isStopped else { return (nil, nil) }
      let strangers = state.sessions.values.filter(\.session.isStranger).map {
        Stranger(number: $0.session.number, host: Self.host(of: $0.peer))
      }
      let number = strangers.count < Self.maxStrangers ? nil : Self.crowdedOut(of: strangers)
      let evicted = number.flatMap { state.sessions.removeValue(forKey: $0)?.session }
      guard state.sessions.count < Self.maxSessions else { return (nil, evicted) }
      state.lastNumber += 1
      let session = AggregatorSession(
        number: state.lastNumber, wanted: wanted, settings: settings, dependencies: dependencies)
      state.sessions[session.number] = Seat(session: session, peer: peer)
      return (session, evicted)
    }
    crowdedOut?.end(.crowdedOut)
    return session
  }
}
