/// The executor's end of a session with an aggregator: messages, times and what came of work go in, actions come out.
///
/// The aggregator proves its key first; only then do we sign anything, take submissions or show results. A submission uses one
/// credit. The session sends an outcome once; a window bounds the outcomes that are not acknowledged, and the others wait in the
/// store.
package struct AggregatorSessionStateMachine<Answer: Sendable>: Sendable {
  package typealias Message = ExecutorMessage<Answer>

  /// Bounds of a session. Times in milliseconds.
  package struct Settings: Sendable, Equatable {
    /// Our longest silence.
    package var heartbeat: Int64 = 10_000
    /// Longest time from the open stream to an established session.
    package var handshakeLimit: Int64 = 10_000
    /// Submissions that an aggregator may send before it hears of any of them.
    package var maxCredit = 1024
    /// Outcomes sent and not acknowledged.
    package var maxUnacknowledged = 512
    /// Bytes of the outcomes sent and not acknowledged.
    package var maxUnacknowledgedBytes = 16 << 20

    package init() {}
  }

  /// What happens to a session.
  package enum Event: Sendable {
    /// The stream is open; comes first, and once.
    case opened
    case received(AggregatorMessage)
    /// The aggregator's proof is right; `proof` is ours.
    case authenticated(proof: [UInt8])
    /// This session now is the one its aggregator's results go to.
    case attached
    /// The pool gave this much credit.
    case granted(Int)
    /// A submission's task is on disk.
    case admitted(idText: String)
    /// A submission was not accepted.
    case refused(StreamRefusal)
    /// A task of this aggregator ended.
    case finished(Deliverable<Answer>)
    /// A task of this aggregator was interrupted; it goes on when it is submitted again.
    case interrupted(StreamRefusal)
    /// There may be outcomes in the store that are not known here.
    case resultsWait
    /// The oldest outcomes in the store, without those excluded; `isAll` when the store has no more.
    case fetched([Deliverable<Answer>], isAll: Bool)
    case fetchFailed
    case acknowledged([TaskID])
    case acknowledgementFailed([TaskID])
    case cancellationEnded(TaskID, CancellationResult)
    case reconciled([TaskID: TaskStanding])
    case tick
    /// Ends the session, for any reason that does not come with another event.
    case end(SessionEnd)
  }

  /// What the session has to do, in this order.
  package enum Action: Sendable {
    case send(Message)
    /// Check the aggregator's proof, sign ours, answer with `authenticated` or `end`.
    case authenticate(AggregatorHello, own: ExecutorHello, proof: [UInt8])
    /// Take over the owner's results, answer with `attached`.
    case attach(TaskOwner)
    /// Ask the pool for credit, answer with `granted`.
    case takeCredit(upTo: Int)
    /// Give back credit that is used.
    case giveBackCredit(Int)
    /// Hand to admission, answer with `admitted` or `refused`.
    case admit(StreamSubmission)
    /// Read outcomes from the store, answer with `fetched` or `fetchFailed`.
    case fetch(excluding: Set<TaskID>, limit: Int, bytes: Int)
    /// Delete from the outbox, answer with `acknowledged` or `acknowledgementFailed`.
    case acknowledge([TaskID])
    case cancel(TaskID)
    case reconcile([TaskID])
    /// End the session, once the messages sent before have left. Comes once, and last.
    case close(SessionEnd)
  }

  private enum Phase: Sendable {
    /// The stream is not open yet. Can transition to `awaitingHello` and `closed`.
    case idle
    /// The stream is open; our hello is sent if we dialled. Can transition to `awaitingProof` and `closed`.
    case awaitingHello
    /// Both hellos are exchanged and agree. Can transition to `authenticating` and `closed`.
    case awaitingProof(AggregatorHello)
    /// The aggregator's proof is being checked, and ours made. Can transition to `established` and `closed`.
    case authenticating(AggregatorHello)
    /// Both ends have proven who they are. Only now tasks, credit and outcomes are exchanged. Can transition to `closed`.
    case established(AggregatorHello)
    /// The session is over, for good. Submissions that are still being admitted give their credit back as they end.
    case closed
  }

  /// What is known of outcomes in the store that are not in the window.
  private enum Stored: Sendable {
    /// There are none: outcomes of tasks that end now are sent at once. Can transition to `pending`.
    case none
    /// There may be some; they are read as soon as the window has room for several. Can transition to `fetching`.
    case pending
    /// The oldest one is too large for the room in the window; nothing is read before the peer acknowledges something. Can
    /// transition to `pending`.
    case blocked
    /// Some are being read; `again` once further ones may have come meanwhile. Can transition to `none`, `pending` and `blocked`.
    case fetching(again: Bool)

    var isNone: Bool { if case .none = self { true } else { false } }
    var isPending: Bool { if case .pending = self { true } else { false } }
    var isFetching: Bool { if case .fetching = self { true } else { false } }

    /// There may be more than was known.
    mutating func increase() {
      switch self {
      case .none: self = .pending
      case .fetching: self = .fetching(again: true)
      case .pending, .blocked: break
      }
    }

    /// The window has more room.
    mutating func unblock() {
      if case .blocked = self { self = .pending }
    }

    /// What was being read is read, or could not be.
    mutating func fetched() {
      if case .fetching(let again) = self { self = again ? .pending : .none }
    }
  }

  private let settings: Settings
  private let hello: ExecutorHello
  private var phase = Phase.idle
  private var startedAt: Int64 = 0
  private var heartbeats: HeartbeatTimer
  private var window: ResultWindow
  private var stored = Stored.none
  /// Submissions that the aggregator was allowed in all. Never less than `submitted`.
  private var granted: UInt64 = 0
  /// Submissions that used credit. Never less than `admitting`.
  private var submitted: UInt64 = 0
  /// Submissions handed to admission and not answered yet. With the unused credit never more than `settings.maxCredit`.
  private var admitting = 0

  /// - Parameter hello: Ours; `wanted` says whether we dialled.
  package init(hello: ExecutorHello, settings: Settings = Settings()) {
    self.hello = hello
    self.settings = settings
    heartbeats = HeartbeatTimer(heartbeat: settings.heartbeat, now: 0)
    window = ResultWindow(maxCount: settings.maxUnacknowledged, maxBytes: settings.maxUnacknowledgedBytes)
  }

  /// Whose tasks the session carries, once the aggregator has proven who it is.
  package var owner: TaskOwner? {
    if case .established(let hello) = phase { hello.owner } else { nil }
  }

  /// Whether the session is over.
  package var isClosed: Bool {
    if case .closed = phase { true } else { false }
  }

  /// Outcomes sent and not acknowledged.
  package var unacknowledged: Int { window.count }

  /// Submissions the aggregator may still send.
  package var unusedCredit: Int { Int(granted - submitted) }

  /// - Parameter now: Milliseconds of a clock that is never set back.
  package mutating func handle(_ event: Event, now: Int64) -> [Action] {
    if isClosed { return leftovers(of: event) }
    var actions: [Action] = []
    switch event {
    case .opened: open(now, &actions)
    case .received(let message): receive(message, now, &actions)
    case .authenticated(let proof): establish(proof, &actions)
    case .attached, .resultsWait: stored.increase()
    case .granted(let count): grant(count, &actions)
    case .admitted(let idText): settle(.receipt(idText: idText), &actions)
    case .refused(let refusal): settle(.refusal(refusal), &actions)
    case .finished(let outcome): offer(outcome, &actions)
    case .interrupted(let refusal): if owner != nil { actions.append(.send(.refusal(refusal))) }
    case .fetched(let outcomes, let isAll): take(outcomes, isAll: isAll, &actions)
    case .fetchFailed: endFetch()
    case .acknowledged(let ids): window.settled(ids, isFetching: stored.isFetching)
    case .acknowledgementFailed(let ids):
      window.settled(ids, isFetching: false)
      stored.increase()
    case .cancellationEnded(let id, let result): actions.append(.send(.cancellation(id, result)))
    case .reconciled(let standings):
      actions.append(.send(.standings(standings)))
      stored.increase()
    case .tick: tick(now, &actions)
    case .end(let reason): end(reason, &actions)
    }
    if case .fetchFailed = event {
      stored.increase()  // Asked again at the next tick.
    } else {
      fetchIfNeeded(&actions)
    }
    replenish(event, &actions)
    if actions.contains(where: \.isSend) { heartbeats.sent(at: now) }
    return actions
  }

  // MARK: Handshake

  private mutating func open(_ now: Int64, _ actions: inout [Action]) {
    startedAt = now
    heartbeats = HeartbeatTimer(heartbeat: settings.heartbeat, now: now)
    phase = .awaitingHello
    if hello.wanted != nil { actions.append(.send(.hello(hello))) }
  }

  private mutating func greet(_ theirs: AggregatorHello, _ actions: inout [Action]) {
    guard theirs.version == StreamProtocol.version else {
      return end(.violation("hello.version is \(theirs.version); version \(StreamProtocol.version) is spoken here"), &actions)
    }
    guard StreamProtocol.heartbeats.contains(theirs.heartbeat) else {
      return end(.violation("hello.heartbeat_ms is not within \(StreamProtocol.heartbeats)"), &actions)
    }
    guard theirs.executor == hello.executor else {
      return end(
        .unauthenticated(
          code: "wrong_executor", message: "the session is meant for executor \(theirs.executor); this is \(hello.executor)"),
        &actions)
    }
    if let wanted = hello.wanted, wanted != theirs.owner {
      return end(
        .unauthenticated(
          code: "wrong_aggregator",
          message: "aggregator \(wanted.aggregator) for AVS \(wanted.avs) was dialled; another one answers"), &actions)
    }
    heartbeats.peerHeartbeat = theirs.heartbeat
    if hello.wanted == nil { actions.append(.send(.hello(hello))) }
    phase = .awaitingProof(theirs)
  }

  private mutating func establish(_ proof: [UInt8], _ actions: inout [Action]) {
    guard case .authenticating(let theirs) = phase else { return }
    phase = .established(theirs)
    actions.append(.send(.proof(signature: proof)))
    actions.append(.attach(theirs.owner))
  }

  // MARK: Messages

  private mutating func receive(_ message: AggregatorMessage, _ now: Int64, _ actions: inout [Action]) {
    heartbeats.heard(at: now)
    switch (phase, message) {
    case (_, .heartbeat): return
    case (_, .goodbye(let goodbye)): end(.peerLeft(goodbye), &actions)
    case (.awaitingHello, .hello(let theirs)): greet(theirs, &actions)
    case (.awaitingProof(let theirs), .proof(let signature)):
      phase = .authenticating(theirs)
      actions.append(.authenticate(theirs, own: hello, proof: signature))
    case (.established, .submission(let submission)): submit(submission, &actions)
    case (.established, .acknowledgement(let ids)):
      window.acknowledge(ids)
      stored.unblock()
      actions.append(.acknowledge(ids))
    case (.established, .cancellation(let id)): actions.append(.cancel(id))
    case (.established, .reconciliation(let ids)): actions.append(.reconcile(ids))
    default: end(.violation("\(message.name) was sent at a time when it is not allowed"), &actions)
    }
  }

  private mutating func submit(_ submission: StreamSubmission, _ actions: inout [Action]) {
    guard submitted < granted else {
      let refusal = StreamRefusal(
        idText: submission.idText, code: StreamRefusal.noCredit,
        message: "the session has no credit left; wait for the executor to grant more", retryAfter: 1000)
      return actions.append(.send(.refusal(refusal)))
    }
    submitted += 1
    if let id = TaskID(hex: submission.idText), window.contains(id) {
      // The acknowledgement of its outcome and the new submission would race each other.
      let refusal = StreamRefusal(
        idText: submission.idText, code: StreamRefusal.outcomeUnacknowledged,
        message: "the outcome of the task was sent in this session; acknowledge it before you submit the task again",
        retryAfter: 100)
      actions.append(.giveBackCredit(1))
      return actions.append(.send(.refusal(refusal)))
    }
    admitting += 1
    actions.append(.admit(submission))
  }

  private mutating func settle(_ message: Message, _ actions: inout [Action]) {
    admitting -= 1
    actions.append(.giveBackCredit(1))
    actions.append(.send(message))
  }

  // MARK: Credit

  private mutating func grant(_ count: Int, _ actions: inout [Action]) {
    guard count > 0 else { return }
    granted += UInt64(count)
    actions.append(.send(.credit(total: granted)))
  }

  /// Asks for credit once half of it is used, so that not every submission brings a grant; a tick asks for any missing credit.
  private func replenish(_ event: Event, _ actions: inout [Action]) {
    guard case .established = phase else { return }
    if case .granted = event { return }
    let missing = settings.maxCredit - unusedCredit - admitting
    let isTick = if case .tick = event { true } else { false }
    guard missing > 0, isTick || missing * 2 >= settings.maxCredit else { return }
    actions.append(.takeCredit(upTo: missing))
  }

  // MARK: Outcomes

  private mutating func offer(_ outcome: Deliverable<Answer>, _ actions: inout [Action]) {
    guard case .established = phase, !window.contains(outcome.id) else { return }
    // Outcomes leave in order: behind others in the store, this one waits in the store as well.
    guard stored.isNone, window.fits(outcome.byteCount) else { return stored.increase() }
    send(outcome, &actions)
  }

  private mutating func take(_ outcomes: [Deliverable<Answer>], isAll: Bool, _ actions: inout [Action]) {
    let excluded = window
    endFetch()
    if !isAll { stored.increase() }
    for outcome in outcomes where !excluded.contains(outcome.id) {
      guard window.fits(outcome.byteCount) else { return stored = .blocked }
      send(outcome, &actions)
    }
  }

  private mutating func send(_ outcome: Deliverable<Answer>, _ actions: inout [Action]) {
    window.sent(outcome.id, size: outcome.byteCount)
    actions.append(.send(.outcome(outcome.id, outcome.answer)))
  }

  private mutating func endFetch() {
    stored.fetched()
    window.fetchEnded()
  }

  /// Reads only when the window has room for several outcomes, so that not every acknowledgement costs a query.
  private mutating func fetchIfNeeded(_ actions: inout [Action]) {
    guard case .established = phase, stored.isPending, window.room > 0 else { return }
    guard window.room * 4 >= settings.maxUnacknowledged, window.byteRoom * 4 >= settings.maxUnacknowledgedBytes else { return }
    stored = .fetching(again: false)
    actions.append(.fetch(excluding: window.excluded, limit: window.room, bytes: window.byteRoom))
  }

  // MARK: Time and the end

  private mutating func tick(_ now: Int64, _ actions: inout [Action]) {
    switch phase {
    case .idle, .closed: return
    case .awaitingHello, .awaitingProof, .authenticating:
      if now - startedAt >= settings.handshakeLimit { return end(.handshakeTimedOut, &actions) }
    case .established: break
    }
    if heartbeats.isPeerDead(at: now) { return end(.peerSilent, &actions) }
    if heartbeats.isHeartbeatDue(at: now), heartbeats.peerHeartbeat != nil { actions.append(.send(.heartbeat)) }
  }

  private mutating func end(_ reason: SessionEnd, _ actions: inout [Action]) {
    phase = .closed
    if unusedCredit > 0 { actions.append(.giveBackCredit(unusedCredit)) }
    if let goodbye = reason.goodbye { actions.append(.send(.goodbye(goodbye))) }
    actions.append(.close(reason))
  }

  /// Credit is given back even when a submission is settled after the end.
  private mutating func leftovers(of event: Event) -> [Action] {
    switch event {
    case .admitted, .refused:
      admitting -= 1
      return [.giveBackCredit(1)]
    case .granted(let count) where count > 0: return [.giveBackCredit(count)]
    default: return []
    }
  }
}

extension AggregatorSessionStateMachine.Action {
  fileprivate var isSend: Bool {
    if case .send = self { true } else { false }
  }
}

extension AggregatorMessage {
  /// As the protocol calls it.
  package var name: String {
    switch self {
    case .hello: "hello"
    case .proof: "proof"
    case .submission: "submission"
    case .acknowledgement: "acknowledgement"
    case .cancellation: "cancellation"
    case .reconciliation: "reconciliation"
    case .heartbeat: "heartbeat"
    case .goodbye: "goodbye"
    }
  }
}
