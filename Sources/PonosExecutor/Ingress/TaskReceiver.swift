import PonosCore
import PonosStore
import PonosSystem
import Synchronization

/// Takes submissions in: each task is admitted once, every retry of it shares the outcome.
package final class TaskReceiver: Sendable {
  private let validator: TaskValidator
  private let journal: TaskJournal
  private let queue: TaskQueue
  private let flights: TaskFlights
  private let answers: StoredAnswers
  private let metrics: ExecutorMetrics
  private let audit: AuditLog
  private let timeout: @Sendable (EthereumAddress) -> Duration
  /// Why the AVS cannot take a task now; nil when its performer serves.
  private let readiness: @Sendable (EthereumAddress) -> Rejection?
  private let limiter: SubmissionLimiter
  private let clock: TaskClock
  /// Makes the outcome of a task known already wait for its aggregator.
  private let expectDelivery: @Sendable (TaskID, StreamParty) async throws(StoreError) -> TaskStanding
  private let closedReason = Mutex<String?>("starting")
  /// What submissions take whose callers wait: with its payload until the task is known or refused, without from then on.
  private let callers: Mutex<CallerLedger>

  /// Submissions whose callers wait may take this much memory together.
  package static let callerMemory = 512 << 20
  /// What a waiting caller takes besides the payload, about.
  private static let callerBytes = 4 << 10

  /// - Parameter callerMemory: What submissions may take together whose callers wait, in bytes; those of one AVS a quarter of it.
  package init(
    validator: TaskValidator, journal: TaskJournal, queue: TaskQueue, flights: TaskFlights, answers: StoredAnswers,
    metrics: ExecutorMetrics, audit: AuditLog, timeout: @escaping @Sendable (EthereumAddress) -> Duration,
    readiness: @escaping @Sendable (EthereumAddress) -> Rejection?, limiter: SubmissionLimiter = SubmissionLimiter(),
    clock: TaskClock, callerMemory: Int = TaskReceiver.callerMemory,
    expectDelivery: @escaping @Sendable (TaskID, StreamParty) async throws(StoreError) -> TaskStanding
  ) {
    self.expectDelivery = expectDelivery
    self.validator = validator
    self.journal = journal
    self.queue = queue
    self.flights = flights
    self.answers = answers
    self.metrics = metrics
    self.audit = audit
    self.timeout = timeout
    self.readiness = readiness
    self.limiter = limiter
    self.clock = clock
    callers = Mutex(CallerLedger(limit: callerMemory))
  }

  /// Lets submissions in, once recovery is done.
  package func open() {
    closedReason.withLock { $0 = nil }
  }

  /// Refuses submissions from now on, begins no further run, and tells those whose tasks still wait to send them again.
  package func close(because state: String) {
    closedReason.withLock { $0 = state }
    flights.close(because: .notAccepting(state))
    for id in queue.stop() { flights.settle(id, with: .interrupted(.notAccepting(state))) }
  }

  /// Why submissions are not let in; nil when they are.
  package var obstacle: String? { closedReason.withLock(\.self) }

  /// Whether anybody waits for the outcome of a task.
  package var hasWaitingCallers: Bool { flights.haveCallers }

  /// Tells everybody who still waits to send the task again; what was accepted stays in the journal.
  package func interruptWaitingCallers() {
    flights.interruptAll()
  }

  /// The outcome of a submission: of the run in flight, of one finished earlier, or of a new one. nil when the caller was
  /// cancelled.
  package func submit(_ submission: consuming TaskSubmission) async -> TaskOutcome? {
    let avs = submission.operatorSet.avs
    metrics.taskReceived(avs)
    let entry = await enter(consume submission)
    switch entry {
    case .known(let outcome): return outcome
    case .inFlight(let flight):
      // Without the payload: the queue has it, and counts it.
      defer { callers.withLock { $0.giveBack(Self.callerBytes, avs: avs) } }
      return await flight.outcome()
    }
  }

  private enum Entry {
    /// There is nothing to wait for, and nothing held for the caller.
    case known(TaskOutcome)
    /// The caller has to wait, and holds `callerBytes`.
    case inFlight(TaskFlight)
  }

  /// Takes a submission as far as its outcome is known or its flight is.
  private func enter(_ submission: TaskSubmission) async -> Entry {
    let (avs, payload) = (submission.operatorSet.avs, submission.payload.count)
    do throws(Rejection) {
      if let obstacle { throw .notAccepting(obstacle) }
      try admitCaller(payload + Self.callerBytes, avs)
    } catch {
      note(error, of: submission)
      return .known(.refused(error))
    }
    var held = payload + Self.callerBytes
    defer { callers.withLock { $0.giveBack(held, avs: avs) } }
    do throws(Rejection) {
      if let flight = flights.flight(of: submission.id), isRetry(submission, of: flight.identity) {
        held = payload
        return .inFlight(flight)
      }
      if let outcome = recentOutcome(of: submission) { return .known(outcome) }
      if let obstacle = limiter.obstacle(avs: avs, aggregator: submission.aggregator) { throw obstacle }
      let flight = try await flight(of: try await validator.validate(submission), isStreamed: false).flight
      held = payload
      return .inFlight(flight)
    } catch {
      note(error, of: submission)
      return .known(.refused(error))
    }
  }

  /// Takes in a submission of a stream: returns when its task is on disk, and that its outcome waits for the aggregator. Says where the
  /// task stands; a finished one was submitted before.
  package func receive(_ submission: TaskSubmission) async throws(Rejection) -> TaskStanding {
    let avs = submission.operatorSet.avs
    metrics.taskReceived(avs)
    do throws(Rejection) {
      if let obstacle { throw .notAccepting(obstacle) }
      let bytes = submission.payload.count + Self.callerBytes
      try admitCaller(bytes, avs)
      defer { callers.withLock { $0.giveBack(bytes, avs: avs) } }
      if let flight = flights.flight(of: submission.id), isRetry(submission, of: flight.identity) {
        return try await join(flight)
      }
      if recentOutcome(of: submission) != nil, let standing = try await expectRecent(submission) { return standing }
      if let obstacle = limiter.obstacle(avs: avs, aggregator: submission.aggregator) { throw obstacle }
      let (flight, isNew) = try await flight(of: try await validator.validate(submission), isStreamed: true)
      // Written together with the task.
      return isNew && flight.isStreamed ? .unfinished : try await join(flight)
    } catch {
      note(error, of: submission)
      throw error
    }
  }

  private func admitCaller(_ bytes: Int, _ avs: EthereumAddress) throws(Rejection) {
    guard callers.withLock({ $0.take(bytes, avs: avs) }) else { throw .tooManyCallers }
  }

  /// How a task ended that was submitted before in the same words.
  private func recentOutcome(of submission: TaskSubmission) -> TaskOutcome? {
    guard let recent = flights.recentOutcome(of: submission.id), isRetry(submission, of: recent.identity) else { return nil }
    metrics.taskAnsweredFromMemory(submission.operatorSet.avs)
    return recent.outcome
  }

  /// Makes the outcome of a task wait for its aggregator that ended of late; nil when the store has forgotten it.
  private func expectRecent(_ submission: TaskSubmission) async throws(Rejection) -> TaskStanding? {
    let party = StreamParty(aggregator: submission.aggregator, avs: submission.operatorSet.avs)
    do throws(StoreError) {
      let standing = try await expectDelivery(submission.id, party)
      return standing == .unknown ? nil : standing
    } catch {
      throw answers.refusal(of: submission.id, because: error)
    }
  }

  private func note(_ rejection: Rejection, of submission: TaskSubmission) {
    metrics.taskRefused(submission.operatorSet.avs, code: rejection.code)
    if case .queueFull(let avs, let bound) = rejection { metrics.queue(.overflow(avs: avs, .rejectNewest, bound)) }
  }

  /// Makes the outcome of a task that somebody else submitted, or that was submitted before, wait for its aggregator.
  private func join(_ flight: TaskFlight) async throws(Rejection) -> TaskStanding {
    switch await flight.written() {
    case .ended(.refused(let rejection)), .ended(.interrupted(let rejection)): throw rejection
    // What is on disk under this id may be another task.
    case .cancelled: throw .notAccepting(Self.cancelled)
    case .ended(.signed), .ended(.failed), .onDisk: break
    }
    let standing: TaskStanding
    do throws(StoreError) { standing = try await expectDelivery(flight.id, flight.party) } catch {
      throw answers.refusal(of: flight.id, because: error)
    }
    // Settled meanwhile, the flight knows nothing of this; the standing, or the session's next look into the store, does.
    if standing == .unfinished { flight.markStreamed() }
    if standing == .unknown { throw .storeUnavailable("the task was given up while it was submitted again") }
    return standing
  }

  /// Counts a submission that a session refused by itself.
  func countRefused(_ avs: EthereumAddress, code: String) {
    metrics.taskRefused(avs, code: code)
  }

  /// Counts a message that could not be read as a submission.
  func countMalformed(_ rejection: Rejection) {
    metrics.taskRefused(nil, code: rejection.code)
  }

  /// The same content under a signature verified before.
  private func isRetry(_ submission: TaskSubmission, of task: TaskIdentity) -> Bool {
    task.signature == submission.signature && task.contentHash == validator.contentHash(of: submission)
  }

  /// The flight of the task: the one there is, or a new one whose task has been written down.
  private func flight(
    of task: ValidatedTask, isStreamed: Bool
  ) async throws(Rejection) -> (flight: TaskFlight, isNew: Bool) {
    while true {
      switch flights.open(task, isWritten: false) {
      case .inFlight(let flight) where flight.contentHash == task.contentHash: return (flight, false)
      case .inFlight(let other): try await giveWay(task, to: other)
      case .closed(let reason): throw reason
      case .opened(let flight):
        do throws(Rejection) { try await accept(task, flight, isStreamed: isStreamed) } catch {
          // Retries that joined meanwhile are refused with the same words.
          flights.settle(flight.id, with: .refused(error))
          throw error
        }
        return (flight, true)
      }
    }
  }

  /// Waits until it is known whether another submission under the same id holds it. Returns when that one was refused: the id is free,
  /// or this very task is what is on disk.
  private func giveWay(_ task: ValidatedTask, to other: TaskFlight) async throws(Rejection) {
    switch await other.written() {
    case .cancelled: throw .notAccepting(Self.cancelled)
    case .ended(.refused): return
    case .ended(.interrupted(let rejection)): throw rejection
    case .ended(.signed), .ended(.failed), .onDisk: throw conflict(of: task, with: other.party)
    }
  }

  private static let cancelled = "cancelled by the caller"

  private func conflict(of task: ValidatedTask, with holder: StreamParty) -> Rejection {
    audit.record(.conflictingTask(task.submission, holder: holder))
    return .conflictingTask(task.submission.id)
  }

  /// Writes the task down and queues it, or settles its flight with what is known of it from before.
  private func accept(_ task: ValidatedTask, _ flight: TaskFlight, isStreamed: Bool) async throws(Rejection) {
    let (id, avs) = (task.submission.id, task.submission.operatorSet.avs)
    let byteCount = task.submission.payload.count
    if let excess = limiter.charge(avs: avs, aggregator: task.submission.aggregator) { throw excess }
    var isNew = false
    defer { if !isNew { limiter.refund(avs: avs, aggregator: task.submission.aggregator) } }
    if let obstacle = readiness(avs) ?? reservePlace(for: task) {
      // A task finished earlier is answered even while no new one can be taken.
      guard let record = try await storedRecord(of: id) else { throw obstacle }
      return try await answer(task, from: record)
    }
    let acceptance: TaskJournal.Acceptance
    do throws(Rejection) { acceptance = try await write(task, isStreamed: isStreamed) } catch {
      // So it is while nothing can be written.
      switch error {
      case .storeUnavailable, .storeOverloaded:
        guard let record = try await storedRecord(of: id) else { throw error }
        return try await answer(task, from: record)
      default: throw error
      }
    }
    switch acceptance {
    case .accepted(let accepted):
      isNew = true
      metrics.taskAccepted(avs)
      // Before it can be run, so that whoever ends it knows.
      if isStreamed { flight.markStreamed() }
      flights.markWritten(id)
      if !queue.fillReservation(with: accepted) { leaveToNextStart(id) }
    case .known(let record):
      queue.cancelReservation(avs: avs, byteCount: byteCount)
      try await answer(task, from: record)
    }
  }

  /// Takes a place in the queue; returns why there is none, or why none is needed.
  private func reservePlace(for task: ValidatedTask) -> Rejection? {
    let (submission, avs) = (task.submission, task.submission.operatorSet.avs)
    let left = submission.urgency.timeLeft(at: clock.unix(), timeout: timeout(avs))
    guard left > .zero else { return .deadlinePassed(submission.id) }
    return queue.reserve(
      avs: avs, byteCount: submission.payload.count, priority: Int(submission.urgency.priority),
      deadline: clock.monotonic() + left.milliseconds)
  }

  private func write(_ task: ValidatedTask, isStreamed: Bool) async throws(Rejection) -> TaskJournal.Acceptance {
    let avs = task.submission.operatorSet.avs
    do throws(StoreError) { return try await journal.accept(task, timeout: timeout(avs), isStreamed: isStreamed) } catch {
      queue.cancelReservation(avs: avs, byteCount: task.submission.payload.count)
      throw answers.refusal(of: task.submission.id, because: error)
    }
  }

  private func answer(_ task: ValidatedTask, from record: TaskRecord) async throws(Rejection) {
    guard record.accepted.contentHash == task.contentHash else {
      throw conflict(of: task, with: record.accepted.party)
    }
    if let outcome = try await answers.outcome(of: task, from: record) {
      flights.settle(record.id, with: outcome)
    } else {
      // Accepted, but nobody runs it: its progress could not be written down earlier. It goes on from where it is.
      flights.markWritten(record.id)
      if !queue.resume(journal.restore(record, as: task, at: journal.now)) { leaveToNextStart(record.id) }
    }
  }

  /// The queue was stopped while the task was written down: whoever waits is told to send it again.
  private func leaveToNextStart(_ id: TaskID) {
    flights.settle(id, with: .interrupted(.notAccepting(obstacle ?? "stopping")))
  }

  private func storedRecord(of id: TaskID) async throws(Rejection) -> TaskRecord? {
    do throws(StoreError) { return try await journal.record(of: id) } catch {
      throw answers.refusal(of: id, because: error)
    }
  }
}
