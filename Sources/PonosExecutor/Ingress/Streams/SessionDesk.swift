import PonosCore
import Synchronization

/// Opens sessions, as many as there may be, and ends them all when the daemon stops.
package final class SessionDesk: Sendable {
  private struct State {
    var sessions: [UInt64: AggregatorSession] = [:]
    var lastNumber: UInt64 = 0
    var isStopped = false
  }

  /// Sessions at a time, those in their handshake included.
  private static let maxSessions = 1024
  /// Sessions in their handshake at a time, of peers that dialled us. A handshake takes a few round trips: of so many, the oldest
  /// is hardly that of an honest peer.
  static let maxStrangers = 256

  private let settings: AggregatorSession.Machine.Settings
  private let dependencies: SessionDependencies
  private let state = Mutex(State())

  package init(settings: AggregatorSession.Machine.Settings, dependencies: SessionDependencies) {
    self.settings = settings
    self.dependencies = dependencies
  }

  /// Runs `body` with a new session; nil when there is no room for one, or the daemon stops.
  ///
  /// - Parameter wanted: Whom we dialled; nil where an aggregator dialled us.
  func withSession<Result: Sendable>(
    wanted: StreamParty?, _ body: (AggregatorSession) async throws -> Result
  ) async rethrows -> Result? {
    guard let session = open(wanted) else { return nil }
    defer { state.withLock { $0.sessions[session.number] = nil } }
    return try await body(session)
  }

  /// Ends every session and opens no more.
  func stop() {
    let sessions = state.withLock { state in
      state.isStopped = true
      return Array(state.sessions.values)
    }
    for session in sessions { session.end(.stopping) }
  }

  var isStopped: Bool { state.withLock { $0.isStopped } }

  /// Sessions at the moment.
  var sessionCount: Int { state.withLock { $0.sessions.count } }

  private func open(_ wanted: StreamParty?) -> AggregatorSession? {
    let (session, crowdedOut) = state.withLock { state -> (AggregatorSession?, AggregatorSession?) in
      guard !state.isStopped else { return (nil, nil) }
      let strangers = state.sessions.values.filter(\.isStranger)
      let oldest = strangers.count < Self.maxStrangers ? nil : strangers.min { $0.number < $1.number }
      if let oldest { state.sessions[oldest.number] = nil }
      guard state.sessions.count < Self.maxSessions else { return (nil, oldest) }
      state.lastNumber += 1
      let session = AggregatorSession(
        number: state.lastNumber, wanted: wanted, settings: settings, dependencies: dependencies)
      state.sessions[session.number] = session
      return (session, oldest)
    }
    crowdedOut?.end(.crowdedOut)
    return session
  }
}
