import PonosCore
import PonosStore
import PonosSystem

/// Opens validated tasks: each is written down and queued once, whichever of several submissions under its id comes first.
package struct TaskAcceptance: Sendable {
  private let gate: IntakeGate
  private let journal: TaskJournal
  private let queue: TaskQueue
  private let inFlight: InFlightTasks
  private let answers: StoredAnswers
  private let limiter: SubmissionLimiter
  private let metrics: ExecutorMetrics
  private let audit: AuditLog
  private let clock: TaskClock
  /// How long a task of the AVS may take, if its sender does not say less.
  private let timeout: @Sendable (EthereumAddress) -> Duration
  /// Why the AVS cannot take a task now; nil when its performer serves.
  private let readiness: @Sendable (EthereumAddress) -> Rejection?

  package init(
    gate: IntakeGate, journal: TaskJournal, queue: TaskQueue, inFlight: InFlightTasks, answers: StoredAnswers,
    limiter: SubmissionLimiter, metrics: ExecutorMetrics, audit: AuditLog, clock: TaskClock,
    timeout: @escaping @Sendable (EthereumAddress) -> Duration,
    readiness: @escaping @Sendable (EthereumAddress) -> Rejection?
  ) {
    self.gate = gate
    self.journal = journal
    self.queue = queue
    self.inFlight = inFlight
    self.answers = answers
    self.limiter = limiter
    self.metrics = metrics
    self.audit = audit
    self.clock = clock
    self.timeout = timeout
    self.readiness = readiness
  }

  /// The task in flight under the id: one that was there, or a new one that has been written down.
  func open(_ task: ValidatedTask, isStreamed: Bool) async throws(Rejection) -> (task: InFlightTask, isNew: Bool) {
    while true {
      switch inFlight.open(task, isWritten: false) {
      case .inFlight(let same) where same.contentHash == task.contentHash: return (same, false)
      case .inFlight(let other): try await giveWay(task, to: other)
      case .closed(let reason): throw reason
      case .opened(let opened):
        do throws(Rejection) { try await accept(task, opened, isStreamed: isStreamed) } catch {
          // Retries that joined in the meantime get the same refusal.
          inFlight.settle(opened.id, with: .refused(error))
          throw error
        }
        return (opened, true)
      }
    }
  }

  // MARK: Conflicts

  /// Waits until the other task is on disk or has ended. Returns when it was refused: the id is free, or the row is of this very
  /// task.
  private func giveWay(_ task: ValidatedTask, to other: InFlightTask) async throws(Rejection) {
    switch await other.written() {
    case .cancelled: throw .callerCancelled
    case .ended(.refused): return
    case .ended(.interrupted(let rejection)): throw rejection
    case .ended(.signed), .ended(.failed), .onDisk: throw conflict(of: task, with: other.owner)
    }
  }

  private func conflict(of task: ValidatedTask, with holder: TaskOwner) -> Rejection {
    audit.record(.conflictingTask(task.submission, holder: holder))
    return .conflictingTask(task.submission.id)
  }

  // MARK: A new task

  /// Writes the task down and queues it, or settles it with the outcome in its row.
  private func accept(_ task: ValidatedTask, _ opened: InFlightTask, isStreamed: Bool) async throws(Rejection) {
    let owner = task.submission.owner
    if let excess = limiter.charge(owner) { throw excess }
    var isNew = false
    defer { if !isNew { limiter.refund(owner) } }
    if let obstacle = readiness(owner.avs) ?? reservePlace(for: task) {
      // A task finished earlier is answered even while no new one can be taken.
      return try await answerFromRow(task, orThrow: obstacle)
    }
    let acceptance: TaskJournal.Acceptance
    do throws(Rejection) { acceptance = try await write(task, isStreamed: isStreamed) } catch {
      // A task finished earlier is answered even while nothing can be written.
      switch error {
      case .storeUnavailable, .storeOverloaded: return try await answerFromRow(task, orThrow: error)
      default: throw error
      }
    }
    switch acceptance {
    case .accepted(let accepted):
      isNew = true
      metrics.taskAccepted(owner.avs)
      // Marked before the task can run, so that its end finds the mark.
      if isStreamed { opened.markStreamed() }
      inFlight.markWritten(opened.id)
      if !queue.fillReservation(with: accepted) { leaveToNextStart(opened.id) }
    case .known(let record):
      queue.cancelReservation(avs: owner.avs, byteCount: task.submission.payload.count)
      try await answer(task, from: record)
    }
  }

  /// Takes a place in the queue. Returns why the queue has none, or that the task's time is over.
  private func reservePlace(for task: ValidatedTask) -> Rejection? {
    let (submission, avs) = (task.submission, task.submission.operatorSet.avs)
    let left = submission.urgency.timeLeft(at: clock.unix(), timeout: timeout(avs))
    guard left > .zero else { return .deadlinePassed(submission.id) }
    return queue.reserve(
      avs: avs, byteCount: submission.payload.count, priority: Int(submission.urgency.priority),
      deadline: clock.monotonic() + left.milliseconds)
  }

  /// Writes the task down; gives up its place in the queue if that fails.
  private func write(_ task: ValidatedTask, isStreamed: Bool) async throws(Rejection) -> TaskJournal.Acceptance {
    let avs = task.submission.operatorSet.avs
    do throws(StoreError) { return try await journal.accept(task, timeout: timeout(avs), isStreamed: isStreamed) } catch {
      queue.cancelReservation(avs: avs, byteCount: task.submission.payload.count)
      throw answers.refusal(of: task.submission.id, because: error)
    }
  }

  // MARK: A task known from before

  private func answerFromRow(_ task: ValidatedTask, orThrow obstacle: Rejection) async throws(Rejection) {
    let record: TaskRecord?
    do throws(StoreError) { record = try await journal.record(of: task.submission.id) } catch {
      throw answers.refusal(of: task.submission.id, because: error)
    }
    guard let record else { throw obstacle }
    try await answer(task, from: record)
  }

  private func answer(_ task: ValidatedTask, from record: TaskRecord) async throws(Rejection) {
    guard record.accepted.contentHash == task.contentHash else {
      throw conflict(of: task, with: record.accepted.owner)
    }
    if let outcome = try await answers.outcome(of: task, from: record) {
      inFlight.settle(record.id, with: outcome)
    } else {
      // The task was accepted, but nothing runs it: a write of its progress failed earlier. It goes on from its row.
      inFlight.markWritten(record.id)
      if !queue.resume(journal.restore(record, as: task, at: journal.now)) { leaveToNextStart(record.id) }
    }
  }

  /// Tells the callers to send the task again: the queue was stopped while the task was written down.
  private func leaveToNextStart(_ id: TaskID) {
    inFlight.settle(id, with: .interrupted(.notAccepting(gate.obstacle ?? "stopping")))
  }
}

extension Rejection {
  /// The caller went away before it was known whether its task is accepted. What is on disk under its id may be another task.
  static var callerCancelled: Rejection { .notAccepting("cancelled by the caller") }
}
