/// Decides whether an endpoint may be asked, from how it behaved.
package struct EndpointStateMachine: Sendable {
  package typealias Instant = ContinuousClock.Instant

  package enum Phase: Sendable, Equatable {
    /// Its chain id has to be checked before anything else is asked. At the start, and after every rest.
    /// Can transition to: serving, resting, wrongChain.
    case unverified
    /// It is asked. Can transition to: resting.
    case serving
    /// It failed, or wants to be left alone. Can transition to: unverified, when the pause is over.
    case resting(until: Instant, because: ChainError.Code)
    /// It is on another chain. Can transition to: unverified, to look again after a minute.
    case wrongChain(UInt64, until: Instant)
  }

  /// First pause after a failure; each further one without a success between them is twice as long.
  private static let firstPause = Duration.seconds(1)
  private static let longestPause = Duration.seconds(60)
  /// Longest time for which an endpoint's own wish to be left alone is obeyed.
  private static let longestWish = Duration.seconds(600)
  /// Answers in a row that came too late, after which it counts as failing.
  private static let lateLimit = 3
  /// Blocks behind the best known head from which an endpoint is asked last.
  package static let lagLimit: UInt64 = 3

  package private(set) var phase = Phase.unverified
  /// Failures since the last success.
  package private(set) var failures = 0
  private var lateAnswers = 0
  /// The newest block it told of.
  package private(set) var head: BlockHeader?
  /// Blocks it was behind the best head known when it told of its own.
  package private(set) var lag: UInt64 = 0
  /// The last failure, for people.
  package private(set) var lastError: ChainError?

  package init() {}

  /// Ends a pause that is over. To be called before `phase` is looked at.
  package mutating func advance(to now: Instant) {
    switch phase {
    case .resting(let until, _) where until <= now, .wrongChain(_, let until) where until <= now: phase = .unverified
    default: break
    }
  }

  package mutating func chainVerified() {
    phase = .serving
  }

  package mutating func foundOnChain(_ id: UInt64, error: ChainError, now: Instant) {
    lastError = error
    phase = .wrongChain(id, until: now + .seconds(60))
  }

  package mutating func succeeded() {
    (failures, lateAnswers) = (0, 0)
  }

  /// It did not answer before another one was asked instead.
  package mutating func wasLate(_ error: ChainError, now: Instant) {
    lateAnswers += 1
    if lateAnswers >= Self.lateLimit { failed(error, now: now) }
  }

  package mutating func failed(_ error: ChainError, now: Instant) {
    if error.code != .cancelled { lastError = error }
    guard error.isFaultOfEndpoint else { return }
    failures += 1
    lateAnswers = 0
    let doubled = Self.firstPause * (1 << min(failures - 1, 6))
    let pause = max(min(doubled, Self.longestPause), min(error.retryAfter ?? .zero, Self.longestWish))
    phase = .resting(until: now + pause, because: error.code)
  }

  /// - Parameter best: The highest head any endpoint told of.
  package mutating func sawHead(_ header: BlockHeader, best: UInt64) {
    // A load balancer may answer from a node that is behind the one before.
    if let head, head.number > header.number, best < head.number + Self.lagLimit { return }
    head = header
    lag = best > header.number ? best - header.number : 0
  }

  package var isLagging: Bool { lag >= Self.lagLimit }

  /// How gladly it is asked, lower first; nil for never.
  package var rank: Int? {
    switch phase {
    case .serving, .unverified: isLagging ? 1 : 0
    // Better than nothing, unless it asked for the pause itself.
    case .resting(_, let code): code == .rateLimited || code == .quotaExhausted ? nil : 2
    case .wrongChain: nil
    }
  }
}
