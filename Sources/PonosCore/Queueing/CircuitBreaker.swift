/// Keeps tasks away from a performer that fails them, and finds out with a few runs whether the performer works again.
///
/// A closed breaker lets every run through and judges it. Too many failures in a row, or too large a share of the last runs, open
/// it. An open breaker lets no run through for a while, and is half open then: it lets a few runs through as probes. It closes
/// when all of them succeed, and opens again when one fails. Times are milliseconds of a clock that is never set back.
package struct CircuitBreaker: Sendable {
  /// When it opens, and how it closes.
  package struct Settings: Sendable, Equatable {
    /// Failures in a row that open a breaker unless it is told otherwise.
    package static let standardFailures = 5

    /// Failures in a row that open it, at least 1; nil for a breaker that never opens.
    package var consecutiveFailures: Int?
    /// Share of failures among the last `window` runs that opens it, above 0 and up to 1.
    package var failureRatio: Double
    /// Runs the ratio is taken over, 1 to 64. Fewer are not judged by it.
    package var window: Int
    /// How long it stays open.
    package var openTime: Duration
    /// Runs that have to succeed before it closes, at least 1; as many are let through at a time.
    package var probes: Int
    /// A run that timed out is a failure only if it had at least this long: the time of a task may be almost over when it leaves
    /// the queue, or short from the beginning, and neither is the performer's fault.
    package var fairTime: Duration

    package init(
      consecutiveFailures: Int? = standardFailures, failureRatio: Double = 0.5, window: Int = 20,
      openTime: Duration = .seconds(10),
      probes: Int = 1, fairTime: Duration = .seconds(45)
    ) {
      self.consecutiveFailures = consecutiveFailures
      self.failureRatio = failureRatio
      self.window = window
      self.openTime = openTime
      self.probes = probes
      self.fairTime = fairTime
    }

    package static let standard = Settings()
  }

  /// The breaker's state, as metrics and the state dump name it.
  package enum State: String, Sendable, Equatable, Codable, CaseIterable {
    case closed
    case open
    case halfOpen = "half_open"
  }

  /// Permission for one run; the run's outcome is recorded with it.
  package struct Permit: Sendable, Equatable {
    fileprivate let generation: UInt64
  }

  private enum Phase {
    /// Every run goes through and is judged. Can transition to `open`, after too many failures.
    case closed
    /// No run goes through before `until`. Can transition to `halfOpen`, with the first run after it.
    case open(until: Int64)
    /// At most `settings.probes` runs go through. Can transition to `closed`, when as many succeeded, and to `open`, when one
    /// fails.
    case halfOpen(running: Int, succeeded: Int)
  }

  private let settings: Settings
  private var phase = Phase.closed
  /// Changes with the phase: a run that was let through in an earlier phase says nothing about this one.
  private var generation: UInt64 = 0
  private var failuresInARow = 0
  /// The last runs, the latest in the lowest bit; 1 is a failure.
  private var history: UInt64 = 0
  private var runsInHistory = 0

  package init(_ settings: Settings = .standard) {
    self.settings = settings
  }

  /// The state at a time.
  package func state(at now: Int64) -> State {
    switch phase {
    case .closed: .closed
    case .open(let until): now < until ? .open : .halfOpen
    case .halfOpen: .halfOpen
    }
  }

  /// How long the breaker stays open; zero when it is not.
  package func openFor(at now: Int64) -> Duration {
    if case .open(let until) = phase { .milliseconds(max(0, until - now)) } else { .zero }
  }

  /// Whether a run would be let through now.
  package func admits(at now: Int64) -> Bool {
    switch phase {
    case .closed: true
    case .open(let until): now >= until
    case .halfOpen(let running, let succeeded): running + succeeded < settings.probes
    }
  }

  /// Lets a run through, or not.
  package mutating func admit(at now: Int64) -> Permit? {
    guard admits(at: now) else { return nil }
    switch phase {
    case .closed: break
    case .open: enter(.halfOpen(running: 1, succeeded: 0))
    case .halfOpen(let running, let succeeded): phase = .halfOpen(running: running + 1, succeeded: succeeded)
    }
    return Permit(generation: generation)
  }

  /// Records how a run ended; returns whether that opens the breaker. Once for each permit.
  package mutating func record(_ outcome: RunOutcome, of permit: Permit, at now: Int64) -> Bool {
    guard permit.generation == generation else { return false }
    let isFailure = isFailure(outcome)
    switch phase {
    case .closed:
      guard let isFailure else { return false }
      note(isFailure)
      guard isFailure, isTooMuch else { return false }
    case .open:
      return false
    case .halfOpen(let running, let succeeded):
      guard let isFailure else {
        phase = .halfOpen(running: running - 1, succeeded: succeeded)
        return false
      }
      guard isFailure else {
        phase = .halfOpen(running: running - 1, succeeded: succeeded + 1)
        if succeeded + 1 >= settings.probes { enter(.closed) }
        return false
      }
    }
    enter(.open(until: now + Self.milliseconds(settings.openTime)))
    return true
  }

  /// nil for an outcome that says nothing about the performer.
  private func isFailure(_ outcome: RunOutcome) -> Bool? {
    switch outcome {
    case .answered: false
    case .failed: true
    case .timedOut(let duration): duration >= settings.fairTime ? true : nil
    case .unjudged: nil
    }
  }

  private mutating func note(_ isFailure: Bool) {
    failuresInARow = isFailure ? failuresInARow + 1 : 0
    history = history << 1 | (isFailure ? 1 : 0)
    runsInHistory = min(runsInHistory + 1, settings.window)
  }

  private var isTooMuch: Bool {
    guard let limit = settings.consecutiveFailures else { return false }
    if failuresInARow >= limit { return true }
    guard runsInHistory == settings.window else { return false }
    let last = settings.window >= 64 ? history : history & ((1 << UInt64(settings.window)) - 1)
    return Double(last.nonzeroBitCount) >= settings.failureRatio * Double(settings.window)
  }

  private mutating func enter(_ phase: Phase) {
    self.phase = phase
    generation += 1
    (failuresInARow, history, runsInHistory) = (0, 0, 0)
  }

  private static func milliseconds(_ duration: Duration) -> Int64 {
    let (seconds, attoseconds) = duration.components
    return seconds * 1000 + attoseconds / 1_000_000_000_000_000
  }
}
