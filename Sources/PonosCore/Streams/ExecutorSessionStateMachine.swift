/// The aggregator's end of sessions with one executor: what was submitted, over all connections, until each task is over.
///
/// It outlives connections. It submits a task again when no receipt came for it, and asks for the task when one did; it hands an
/// outcome on once, and acknowledges it as often as it comes.
package struct ExecutorSessionStateMachine<Answer: Sendable>: Sendable {
  package typealias Message = ExecutorMessage<Answer>

  /// Bounds of a session. Times in milliseconds.
  package struct Settings: Sendable, Equatable {
    /// Our longest silence.
    package var heartbeat: Int64 = 10_000
    /// From the connection to an established session.
    package var handshakeLimit: Int64 = 10_000
    /// Acknowledgements that are collected before they are sent; a tick sends any.
    package var acknowledgementsAtOnce = 32
    /// Whether outcomes are acknowledged at all; tests that say no get them again.
    package var acknowledges = true

    package init() {}
  }

  /// What the sessions are for.
  package struct Identity: Sendable, Equatable {
    package var owner: TaskOwner
    package var executor: EthereumAddress
    package var operatorSetID: UInt32

    package init(owner: TaskOwner, executor: EthereumAddress, operatorSetID: UInt32) {
      self.owner = owner
      self.executor = executor
      self.operatorSetID = operatorSetID
    }
  }

  package enum Event: Sendable {
    case submit(StreamSubmission, id: TaskID)
    case cancel(TaskID)
    /// Nobody waits for the task any more; its outcome is acknowledged when it comes.
    case forget(TaskID)
    /// A connection is up; the challenge is new.
    case connected(challenge: Digest32)
    case received(Message)
    /// Our proof, made on request.
    case signed(proof: [UInt8])
    /// The executor's proof is right.
    case verified
    case tick
    /// The connection is to end, or has.
    case end(SessionEnd)
  }

  package enum Action: Sendable {
    case send(AggregatorMessage)
    /// Sign for the session of these hellos, answer with `signed`.
    case sign(AggregatorHello, ExecutorHello)
    /// Check the executor's proof, answer with `verified` or `end`.
    case verify(AggregatorHello, ExecutorHello, proof: [UInt8])
    /// The task is on the executor's disk.
    case receipt(TaskID)
    /// The task is over.
    case deliver(TaskID, Answer)
    /// The task was not accepted, and will not be.
    case refuse(TaskID, StreamRefusal)
    case cancellation(TaskID, CancellationResult)
    case close(SessionEnd)
  }

  /// A new connection leads from every phase to `awaitingHello`; the end of one, from every phase to `disconnected`.
  private enum Phase: Sendable {
    /// There is no connection. Can transition to `awaitingHello`.
    case disconnected
    /// Our hello is sent. Can transition to `proving`.
    case awaitingHello(AggregatorHello)
    /// Both hellos are exchanged; our proof is made and sent, and the executor's awaited. Can transition to `verifying`.
    case proving(AggregatorHello, ExecutorHello)
    /// The executor's proof is being checked; what the executor says meanwhile waits in `early`. Can transition to `established`.
    case verifying(AggregatorHello, ExecutorHello)
    /// Both ends have proven who they are. Tasks are submitted only now.
    case established
  }

  private struct Entry: Sendable {
    var submission: StreamSubmission
    var state = State.unsent
    /// An entry leaves in any state: with its outcome, with a refusal that is final, or when nobody waits for it any more.
    enum State: Equatable {
      /// The task has its turn in `unsent`. Can transition to `sent`.
      case unsent
      /// The executor refused the task until this time. Can transition to `unsent`.
      case postponed(Int64)
      /// The submission is out. Can transition to `receipted`, `postponed`, and to `unsent` when the connection ends first.
      case sent
      /// The executor has the task on disk. Can transition to `postponed` when the executor interrupts it, and to `unsent` when
      /// the executor does not know it any more.
      case receipted
    }
  }

  private let identity: Identity
  private let settings: Settings
  private var phase = Phase.disconnected
  private var connectedAt: Int64 = 0
  private var heartbeats: HeartbeatTimer
  private var entries: [TaskID: Entry] = [:]
  /// Unsent tasks in the order of sending, and some that have left that state; `unsentIndex` is the next one.
  private var unsent: [TaskID] = []
  private var unsentIndex = 0
  private var credit: UInt64 = 0
  private var used: UInt64 = 0
  private var acknowledgements: [TaskID] = []
  /// What the executor said while its proof was checked.
  private var early: [Message] = []

  package init(identity: Identity, settings: Settings = Settings()) {
    self.identity = identity
    self.settings = settings
    heartbeats = HeartbeatTimer(heartbeat: settings.heartbeat, now: 0)
  }

  /// Tasks that are not over.
  package var unfinished: Int { entries.count }

  package var isEstablished: Bool {
    if case .established = phase { true } else { false }
  }

  package mutating func handle(_ event: Event, now: Int64) -> [Action] {
    var actions: [Action] = []
    switch event {
    case .submit(let submission, let id):
      if entries.updateValue(Entry(submission: submission), forKey: id) == nil { unsent.append(id) }
    case .cancel(let id): if isEstablished { actions.append(.send(.cancellation(id))) }
    case .forget(let id): entries[id] = nil
    case .connected(let challenge): connect(challenge, now, &actions)
    case .received(let message): receive(message, now, &actions)
    case .signed(let proof): if case .proving = phase { actions.append(.send(.proof(signature: proof))) }
    case .verified: establish(now, &actions)
    case .tick: tick(now, &actions)
    case .end(let reason): end(reason, &actions)
    }
    sendUnsent(&actions)
    if acknowledgements.count >= settings.acknowledgementsAtOnce { acknowledge(&actions) }
    if actions.contains(where: \.isSend) { heartbeats.sent(at: now) }
    return actions
  }

  // MARK: The connection

  private mutating func connect(_ challenge: Digest32, _ now: Int64, _ actions: inout [Action]) {
    let hello = AggregatorHello(
      challenge: challenge, owner: identity.owner, executor: identity.executor, operatorSetID: identity.operatorSetID,
      heartbeat: settings.heartbeat)
    phase = .awaitingHello(hello)
    connectedAt = now
    heartbeats = HeartbeatTimer(heartbeat: settings.heartbeat, now: now)
    (credit, used, acknowledgements, early) = (0, 0, [], [])
    actions.append(.send(.hello(hello)))
  }

  private mutating func establish(_ now: Int64, _ actions: inout [Action]) {
    guard case .verifying = phase else { return }
    phase = .established
    let receipted = entries.filter { $0.value.state == .receipted }.keys.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
    for start in stride(from: 0, to: receipted.count, by: StreamProtocol.maxIDsPerMessage) {
      let ids = receipted[start..<min(start + StreamProtocol.maxIDsPerMessage, receipted.count)]
      actions.append(.send(.reconciliation(Array(ids))))
    }
    defer { early = [] }
    for message in early { receive(message, now, &actions) }
  }

  private mutating func end(_ reason: SessionEnd, _ actions: inout [Action]) {
    if case .disconnected = phase { return }
    acknowledge(&actions)
    phase = .disconnected
    // No receipt came for these, so they are submitted again.
    for (id, entry) in entries where entry.state == .sent { postpone(id, .unsent) }
    if let goodbye = reason.goodbye { actions.append(.send(.goodbye(goodbye))) }
    actions.append(.close(reason))
  }

  private mutating func tick(_ now: Int64, _ actions: inout [Action]) {
    for (id, entry) in entries {
      if case .postponed(let time) = entry.state, time <= now { postpone(id, .unsent) }
    }
    switch phase {
    case .disconnected: return
    case .established: break
    case .awaitingHello, .proving, .verifying:
      if now - connectedAt >= settings.handshakeLimit { return end(.handshakeTimedOut, &actions) }
    }
    if heartbeats.isPeerDead(at: now) { return end(.peerSilent, &actions) }
    acknowledge(&actions)
    if heartbeats.isHeartbeatDue(at: now) { actions.append(.send(.heartbeat)) }
  }

  // MARK: Messages

  private mutating func receive(_ message: Message, _ now: Int64, _ actions: inout [Action]) {
    heartbeats.heard(at: now)
    switch (phase, message) {
    case (.disconnected, _), (_, .heartbeat): return
    case (_, .goodbye(let goodbye)): end(.peerLeft(goodbye), &actions)
    case (.awaitingHello(let ours), .hello(let theirs)): greet(theirs, ours, &actions)
    case (.proving(let ours, let theirs), .proof(let signature)):
      phase = .verifying(ours, theirs)
      actions.append(.verify(ours, theirs, proof: signature))
    // The executor may speak on before its proof is checked; what it says counts afterwards.
    case (.verifying, _): early.append(message)
    case (.established, .credit(let total)): credit = max(credit, total)
    case (.established, .receipt(let idText)): noteReceipt(idText, &actions)
    case (.established, .refusal(let refusal)): note(refusal, now, &actions)
    case (.established, .outcome(let id, let answer)): note(answer, of: id, &actions)
    case (.established, .cancellation(let id, let result)): actions.append(.cancellation(id, result))
    case (.established, .standings(let standings)):
      for (id, standing) in standings where standing == .unknown { postpone(id, .unsent) }
    default: end(.violation("the executor sent a message at a time when it is not allowed"), &actions)
    }
  }

  private mutating func greet(_ theirs: ExecutorHello, _ ours: AggregatorHello, _ actions: inout [Action]) {
    guard theirs.version == StreamProtocol.version, StreamProtocol.heartbeats.contains(theirs.heartbeat) else {
      return end(.violation("the executor's hello has version \(theirs.version) or an impossible heartbeat"), &actions)
    }
    guard theirs.executor == ours.executor else {
      return end(
        .unauthenticated(code: "wrong_executor", message: "executor \(theirs.executor) answers; \(ours.executor) is meant"),
        &actions)
    }
    heartbeats.peerHeartbeat = theirs.heartbeat
    phase = .proving(ours, theirs)
    actions.append(.sign(ours, theirs))
  }

  private mutating func noteReceipt(_ idText: String, _ actions: inout [Action]) {
    guard let id = TaskID(hex: idText), entries[id] != nil else { return }
    entries[id]?.state = .receipted
    actions.append(.receipt(id))
  }

  private mutating func note(_ refusal: StreamRefusal, _ now: Int64, _ actions: inout [Action]) {
    guard let id = TaskID(hex: refusal.idText), entries[id] != nil else { return }
    if let pause = refusal.retryAfter {
      postpone(id, .postponed(now + pause))
    } else {
      entries[id] = nil
      actions.append(.refuse(id, refusal))
    }
  }

  private mutating func note(_ answer: Answer, of id: TaskID, _ actions: inout [Action]) {
    if settings.acknowledges { acknowledgements.append(id) }
    guard entries.removeValue(forKey: id) != nil else { return }
    actions.append(.deliver(id, answer))
  }

  private mutating func acknowledge(_ actions: inout [Action]) {
    guard isEstablished, !acknowledgements.isEmpty else { return }
    actions.append(.send(.acknowledgement(acknowledgements)))
    acknowledgements = []
  }

  // MARK: Submissions

  private mutating func postpone(_ id: TaskID, _ state: Entry.State) {
    guard entries[id] != nil else { return }
    entries[id]?.state = state
    if state == .unsent { unsent.append(id) }
  }

  private mutating func sendUnsent(_ actions: inout [Action]) {
    guard isEstablished else { return }
    while used < credit, unsentIndex < unsent.count {
      let id = unsent[unsentIndex]
      unsentIndex += 1
      guard let entry = entries[id], entry.state == .unsent else { continue }
      entries[id]?.state = .sent
      used += 1
      actions.append(.send(.submission(entry.submission)))
    }
    if unsentIndex == unsent.count || unsentIndex > 4096 {
      unsent.removeFirst(unsentIndex)
      unsentIndex = 0
    }
  }
}

extension ExecutorSessionStateMachine.Action {
  fileprivate var isSend: Bool {
    if case .send = self { true } else { false }
  }
}
