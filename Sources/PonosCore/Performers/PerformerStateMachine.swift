/// Decides what happens to one performer: takes what was observed, and says what to do about it.
///
/// ```
/// initializing → pulling → starting → running ⇄ restarting (⇄ failed)      any → stopping → stopped
///                 └────────┴→ failed (a deployment that came to nothing)
/// ```
/// `executing` is not among its states: it is `running` with tasks, which the roster knows. `PerformerState` says where each
/// state can go.
package struct PerformerStateMachine: Sendable, Equatable {
  package enum Event: Sendable, Equatable {
    /// The image is being brought from its registry.
    case pulling
    /// The image is here; the container is about to be created.
    case starting
    /// The container answers that it serves.
    case serving
    /// A periodic probe was answered, or not.
    case probed(isServing: Bool, detail: String)
    /// Tasks get no answer any more, though probes may.
    case hung(String)
    /// The container ended or vanished.
    case ended(String)
    /// The container could not be created, or did not come to serve.
    case startFailed(String)
    /// The engine did not answer while a container was to be looked at or created: no fault of the performer's.
    case engineUnavailable(String)
    /// The performer is to go.
    case retiring
    /// Its container is gone.
    case retired
  }

  package enum Action: Sendable, Equatable {
    case none
    /// It can be given tasks.
    case publish
    /// It can be given no tasks: take it out of service, and create a new container after the delay.
    case recreate(after: Duration)
    /// Do the same again after the delay: nothing is known of the performer that was not known before.
    case tryAgain(after: Duration)
    /// Take it out of service, wait for its tasks, remove its container.
    case retire
  }

  package private(set) var state: PerformerState
  /// What went wrong last; nil when nothing has.
  package private(set) var lastError: String?
  private let policy: RestartPolicy
  private var health: HealthTracker
  /// Whether the performer is in service, so that its container is replaced when it fails.
  private var isEstablished: Bool
  /// Attempts to replace the container since the last healthy period.
  private var attempts = 0
  /// Times in a row that the engine did not answer.
  private var outages = 0
  private var servingSince: ContinuousClock.Instant?

  /// A performer that is being deployed for the first time.
  package init(deploying settings: ProbeSettings, policy: RestartPolicy) {
    self.init(state: .initializing, settings, policy, isEstablished: false)
  }

  /// A performer in service whose container is there (`starting`: it has to answer first).
  package init(adopting settings: ProbeSettings, policy: RestartPolicy) {
    self.init(state: .starting, settings, policy, isEstablished: true)
  }

  /// A performer in service whose container is gone.
  package init(restoring settings: ProbeSettings, policy: RestartPolicy) {
    self.init(state: .restarting, settings, policy, isEstablished: true)
  }

  private init(state: PerformerState, _ settings: ProbeSettings, _ policy: RestartPolicy, isEstablished: Bool) {
    self.state = state
    self.policy = policy
    self.isEstablished = isEstablished
    health = HealthTracker(failureThreshold: settings.failureThreshold, isHealthy: false)
  }

  /// Whether its health service answered as it should, at last judgement.
  package var isHealthy: Bool { state == .running && health.isHealthy }

  /// Takes an observation made at `now`; those that come too late to matter change nothing.
  package mutating func handle(_ event: Event, at now: ContinuousClock.Instant) -> Action {
    switch (event, state) {
    case (.retired, .stopping):
      state = .stopped
      return .none
    case (_, .stopping), (_, .stopped), (.retired, _):
      return .none
    case (.retiring, _):
      state = .stopping
      return .retire
    case (.pulling, .initializing):
      state = .pulling
      return .none
    case (.starting, .initializing), (.starting, .pulling):
      state = .starting
      return .none
    case (.serving, .starting), (.serving, .restarting), (.serving, .failed):
      return serving(at: now)
    case (.probed(let isServing, let detail), .running):
      return probed(isServing, detail, at: now)
    case (.hung(let reason), .running), (.ended(let reason), .running), (.ended(let reason), .starting),
      (.startFailed(let reason), _):
      return failed(reason)
    case (.engineUnavailable(let reason), .starting), (.engineUnavailable(let reason), .restarting),
      (.engineUnavailable(let reason), .failed):
      return engineUnavailable(reason)
    case (.pulling, _), (.starting, _), (.serving, _), (.probed, _), (.hung, _), (.ended, _),
      (.engineUnavailable, _):
      return .none
    }
  }

  /// Replaces what is known of the last failure by something more exact. Does nothing unless there was one.
  package mutating func explain(_ reason: String) {
    if lastError != nil { lastError = reason }
  }

  private mutating func serving(at now: ContinuousClock.Instant) -> Action {
    state = .running
    isEstablished = true
    servingSince = now
    outages = 0
    health = HealthTracker(failureThreshold: health.failureThreshold, isHealthy: true)
    return .publish
  }

  private mutating func probed(_ isServing: Bool, _ detail: String, at now: ContinuousClock.Instant) -> Action {
    if isServing, let servingSince, servingSince.duration(to: now) >= policy.healthyPeriod {
      attempts = 0
      lastError = nil
    }
    if !isServing { lastError = detail }
    guard health.record(isServing: isServing), !health.isHealthy else { return .none }
    return failed("\(health.failureThreshold) health probes in a row failed: \(detail)")
  }

  private mutating func failed(_ reason: String) -> Action {
    lastError = reason
    servingSince = nil
    outages = 0
    guard isEstablished else {
      state = .failed
      return .none
    }
    attempts += 1
    state = attempts > policy.patience ? .failed : .restarting
    return .recreate(after: policy.delay(beforeAttempt: attempts))
  }

  private mutating func engineUnavailable(_ reason: String) -> Action {
    guard isEstablished else { return failed(reason) }
    lastError = reason
    outages += 1
    return .tryAgain(after: RestartPolicy.engine.delay(beforeAttempt: outages))
  }
}
