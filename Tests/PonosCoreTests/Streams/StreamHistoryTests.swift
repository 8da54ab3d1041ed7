import PonosCore
import Testing

/// Random histories of both ends of a stream, with losses of the connection and crashes of the executor, checked against what was promised.
@Suite("Task streams, by random histories")
struct StreamHistoryTests {
  static let steps = 8000

  @Test("lose nothing, repeat nothing and promise no more than there is room for", arguments: SeededGenerator.seeds)
  func histories(seed: UInt64) {
    var world = StreamWorld(seed: seed)
    for step in 0..<Self.steps {
      world.step()
      if let broken = world.broken {
        Issue.record("seed \(seed), step \(step): \(broken)")
        return
      }
    }
    world.comeToRest()
    #expect(world.broken == nil, "seed \(seed), at rest")
    #expect(world.delivered.count == world.submitted.count, "seed \(seed): \(world.difference)")
    #expect(world.waiting.isEmpty, "seed \(seed): outcomes wait for ever")
    #expect(world.ledger.held(by: StreamWorld.owner.avs) == 0, "seed \(seed): credit was lost")
    #expect(world.executions.values.allSatisfy { $0 == 1 }, "seed \(seed): a task was executed twice")
    #expect(world.submitted.count > 300 && world.losses > 10 && world.crashes > 1, "seed \(seed) proves little")
    #expect(world.repetitions > 0, "seed \(seed): no outcome ever came again")
  }
}

/// An aggregator, an executor with its store, and the wire between them.
struct StreamWorld {
  typealias Executor = AggregatorSessionStateMachine<Int>
  typealias Aggregator = ExecutorSessionStateMachine<Int>
  static let owner = AggregatorSessionTests.owner
  private static let places = 12

  private var dice: SeededGenerator
  private var now: Int64 = 0
  private var aggregator: Aggregator
  private var executor: Executor?
  private var isConnected = false
  private var toExecutor: [AggregatorMessage] = []
  private var toAggregator: [ExecutorMessage<Int>] = []
  /// What the session works on, each with what could be read when it began; ends in any order.
  private var work: [(action: Executor.Action, found: [TaskID])] = []
  private var sentInSession: Set<TaskID> = []
  private var creditSeen: UInt64 = 0
  private var usedInSession: UInt64 = 0

  // The executor's store and performers.
  private var accepted: Set<TaskID> = []
  private var running: [TaskID] = []
  private var finished: [TaskID] = []
  private(set) var waiting: Set<TaskID> = []
  private(set) var executions: [TaskID: Int] = [:]
  private(set) var ledger = CreditLedger()
  /// What the session holds of the ledger.
  private var heldInSession = 0

  // What the aggregator knows.
  private(set) var submitted: [TaskID] = []
  private(set) var delivered: Set<TaskID> = []
  private(set) var broken: String?
  private(set) var losses = 0
  private(set) var crashes = 0
  /// Outcomes that came again in a later session.
  private(set) var repetitions = 0

  init(seed: UInt64) {
    dice = SeededGenerator(seed: seed)
    var settings = Aggregator.Settings()
    settings.heartbeat = 1000
    settings.acknowledgementsAtOnce = 3
    aggregator = Aggregator(
      identity: .init(owner: Self.owner, executor: AggregatorSessionTests.executor, operatorSetID: 0), settings: settings)
  }

  var difference: String {
    let missing = submitted.filter { !delivered.contains($0) }
    return
      "\(missing.count) of \(submitted.count) tasks are not delivered; \(accepted.intersection(missing).count) of them accepted, "
      + "\(waiting.intersection(missing).count) waiting"
  }

  mutating func step() {
    now += Int64.random(in: 0...5, using: &dice)
    switch Int.random(in: 0..<2000, using: &dice) {
    case 0..<240: submit()
    case 240..<740: carryToExecutor()
    case 740..<1280: carryToAggregator()
    case 1280..<1600: doWork()
    case 1600..<1800: finishATask()
    case 1800..<1900: tick()
    case 1900..<1906: lose()
    case 1906..<1910: crash()
    case 1910..<1913: silence()
    default: connect()
    }
  }

  /// No more losses and no more tasks: everything has to end.
  mutating func comeToRest() {
    for _ in 0..<20_000 where broken == nil {
      if !isConnected { connect() }
      now += 3
      carryToExecutor()
      carryToAggregator()
      doWork()
      finishATask()
      tick()
      if delivered.count == submitted.count, waiting.isEmpty, work.isEmpty, toExecutor.isEmpty { break }
    }
    lose()
  }

  // MARK: The wire

  private mutating func connect() {
    guard !isConnected else { return }
    isConnected = true
    (toExecutor, toAggregator, sentInSession, creditSeen, usedInSession) = ([], [], [], 0, 0)
    executor = AggregatorSessionTests.machine {
      $0.maxCredit = 8
      $0.maxUnacknowledged = 6
      $0.maxUnacknowledgedBytes = 60
    }
    tell(executor: .opened)
    tell(aggregator: .connected(challenge: AggregatorSessionTests.nonce(5)))
  }

  private mutating func lose() {
    guard isConnected else { return }
    losses += 1
    disconnect()
  }

  private mutating func disconnect() {
    isConnected = false
    (toExecutor, toAggregator) = ([], [])
    tell(executor: .end(.disconnected("lost")))
    tell(aggregator: .end(.disconnected("lost")))
    // What was begun is done all the same: writes are not taken back.
    while !work.isEmpty { doWork() }
    ledger.giveBack(heldInSession, avs: Self.owner.avs)
    heldInSession = 0
    executor = nil
  }

  /// The executor's process ends: what was not written is gone, and so is every credit.
  private mutating func crash() {
    guard isConnected else { return }
    crashes += 1
    work = []
    executor = nil
    isConnected = false
    (toExecutor, toAggregator) = ([], [])
    ledger = CreditLedger()
    heldInSession = 0
    tell(aggregator: .end(.disconnected("crash")))
  }

  /// The wire carries nothing for a long while, and both ends have to notice.
  private mutating func silence() {
    guard isConnected, executor?.owner != nil else { return }
    (toExecutor, toAggregator) = ([], [])
    now += 2100
    tell(executor: .tick)
    tell(aggregator: .tick)
    if executor?.isClosed != true { broken = "the executor did not notice that its peer is dead" }
    losses += 1
    disconnect()
  }

  private mutating func carryToExecutor() {
    guard isConnected, !toExecutor.isEmpty else { return }
    let message = toExecutor.removeFirst()
    if case .submission = message { usedInSession += 1 }
    tell(executor: .received(message))
  }

  private mutating func carryToAggregator() {
    guard isConnected, !toAggregator.isEmpty else { return }
    let message = toAggregator.removeFirst()
    switch message {
    case .outcome(let id, let answer):
      if delivered.contains(id) { repetitions += 1 }
      if Self.answer(id) != answer { broken = "another answer than the task's" }
    case .refusal(let refusal) where refusal.code == "no_credit": broken = "the aggregator overdrew its credit"
    case .goodbye(let goodbye) where goodbye.code == "peer_silent": return lose()
    case .goodbye(let goodbye): broken = "an unexpected goodbye: \(goodbye.code)"
    default: break
    }
    tell(aggregator: .received(message))
  }

  private mutating func tick() {
    tell(executor: .tick)
    tell(aggregator: .tick)
  }

  // MARK: The aggregator

  private mutating func submit() {
    guard aggregator.unfinished < 40 else { return }
    let id = AggregatorSessionTests.id(submitted.count + 1)
    submitted.append(id)
    tell(aggregator: .submit(StreamSubmission(idText: id.description, task: .failure(.tooManyCallers)), id: id))
  }

  private mutating func tell(aggregator event: Aggregator.Event) {
    for action in aggregator.handle(event, now: now) {
      switch action {
      case .send(let message): if isConnected { toExecutor.append(message) }
      case .sign: tell(aggregator: .signed(proof: [1]))
      case .verify: tell(aggregator: .verified)
      case .deliver(let id, _): if !delivered.insert(id).inserted { broken = "task \(id) was delivered twice" }
      case .refuse(_, let refusal): broken = "a task was refused: \(refusal.code)"
      case .close(.disconnected), .close(.peerSilent): break
      case .close(let end): broken = "the aggregator ended the session: \(end.code) \(end.message)"
      case .receipt, .cancellation: break
      }
    }
  }

  // MARK: The executor

  private mutating func tell(executor event: Executor.Event) {
    guard var machine = executor else { return }
    var actions = machine.handle(event, now: now)
    executor = machine
    while !actions.isEmpty {
      switch actions.removeFirst() {
      case .send(let message): send(message)
      case .takeCredit(let wanted):
        let count = ledger.take(
          upTo: wanted, avs: Self.owner.avs, own: heldInSession,
          room: QueueRoom(ofAVS: Self.places - running.count, total: Self.places - running.count))
        heldInSession += count
        machine = executor ?? machine
        actions += machine.handle(.granted(count), now: now)
        executor = machine
      case .giveBackCredit(let count):
        ledger.giveBack(count, avs: Self.owner.avs)
        heldInSession -= count
      case .close(.disconnected), .close(.peerSilent): break
      case .close(let end): broken = "the executor ended the session: \(end.code) \(end.message)"
      case let action: work.append((action, readable(for: action)))
      }
    }
    check()
  }

  private mutating func send(_ message: ExecutorMessage<Int>) {
    if case .outcome(let id, _) = message {
      if !sentInSession.insert(id).inserted { broken = "outcome \(id) was sent twice in a session" }
      if !waiting.contains(id) { broken = "outcome \(id) was sent though nobody waits for it" }
    }
    if case .credit(let total) = message {
      if total < creditSeen { broken = "credit fell" }
      creditSeen = total
    }
    if isConnected, executor != nil { toAggregator.append(message) }
  }

  private mutating func check() {
    guard let executor else { return }
    if executor.unacknowledged > 6 { broken = "the window is exceeded" }
    if !executor.isClosed, executor.unusedCredit > 8 { broken = "more credit than allowed" }
    if ledger.held(by: Self.owner.avs) > Self.places { broken = "more credit than the queue has places" }
  }

  private mutating func doWork() {
    guard !work.isEmpty else { return }
    let (action, found) = work.remove(at: Int.random(in: 0..<work.count, using: &dice))
    switch action {
    case .authenticate: tell(executor: .authenticated(proof: [2]))
    case .attach: tell(executor: .attached)
    case .admit(let submission): admit(submission)
    case .fetch(let excluded, let limit, _): fetch(excluded, limit, found)
    case .acknowledge(let ids):
      if Int.random(in: 0..<20, using: &dice) == 0 {
        sentInSession.subtract(ids)
        return tell(executor: .acknowledgementFailed(ids))
      }
      waiting.subtract(ids.filter { finished.contains($0) })
      tell(executor: .acknowledged(ids))
    case .reconcile(let ids):
      tell(
        executor: .reconciled(
          ids.reduce(into: [:]) { standings, id in
            guard accepted.contains(id) else { return standings[id] = .unknown }
            if waiting.insert(id).inserted { sentInSession.remove(id) }
            standings[id] = finished.contains(id) ? .finished : .unfinished
          }))
    case .send, .takeCredit, .giveBackCredit, .cancel, .close: break
    }
  }

  private mutating func admit(_ submission: StreamSubmission) {
    guard let id = TaskID(hex: submission.idText) else { return broken = "an id was mangled" }
    if Int.random(in: 0..<15, using: &dice) == 0 {
      return tell(executor: .refused(StreamRefusal(idText: submission.idText, code: "queue_full", message: "", retryAfter: 7)))
    }
    let isNew = accepted.insert(id).inserted
    if isNew {
      running.append(id)
      executions[id, default: 0] += 1
    }
    // Submitted again: the outcome may come again.
    if waiting.insert(id).inserted { sentInSession.remove(id) }
    tell(executor: .admitted(idText: submission.idText))
    if finished.contains(id) { tell(executor: .resultsWait) }
  }

  private func readable(for action: Executor.Action) -> [TaskID] {
    if case .fetch = action { finished.filter { waiting.contains($0) } } else { [] }
  }

  /// A read sees what was there when it began, or when it ended, or it fails.
  private mutating func fetch(_ excluded: Set<TaskID>, _ limit: Int, _ before: [TaskID]) {
    if Int.random(in: 0..<10, using: &dice) == 0 { return tell(executor: .fetchFailed) }
    let all = Bool.random(using: &dice) ? before : finished.filter { waiting.contains($0) }
    let found = all.filter { !excluded.contains($0) }
    tell(executor: .fetched(found.prefix(limit).map { Self.outcome($0) }, isAll: found.count <= limit))
  }

  private mutating func finishATask() {
    guard !running.isEmpty else { return }
    let id = running.remove(at: Int.random(in: 0..<running.count, using: &dice))
    finished.append(id)
    if executor?.owner != nil { tell(executor: .finished(Self.outcome(id))) }
  }

  private static func answer(_ id: TaskID) -> Int { Int(id.bytes[0]) | Int(id.bytes[1]) << 8 }
  private static func outcome(_ id: TaskID) -> Deliverable<Int> {
    Deliverable(id: id, byteCount: 5 + answer(id) % 20, answer: answer(id))
  }
}
