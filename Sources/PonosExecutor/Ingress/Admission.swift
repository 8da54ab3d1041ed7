import PonosCore
import PonosStore
import PonosSystem
import Synchronization

/// Lets submissions in: each task is admitted once, every retry of it meets the task in flight or the outcome that is remembered.
package final class Admission: Sendable {
  private let gate: IntakeGate
  private let validator: TaskValidator
  private let inFlight: InFlightTasks
  private let queue: TaskQueue
  private let limiter: SubmissionLimiter
  private let acceptance: TaskAcceptance
  private let metrics: ExecutorMetrics
  /// The memory held by submissions whose callers wait.
  private let callers: Mutex<CallerLedger>

  /// Bytes that submissions may hold together while their callers wait.
  package static let callerMemory = 512 << 20
  /// About the bytes that a waiting caller takes besides the payload.
  private static let callerBytes = 4 << 10

  /// - Parameters:
  ///   - gate: The gate that `acceptance` has, too.
  ///   - callerMemory: Bytes that submissions may hold together while their callers wait. Those of one AVS may hold a quarter.
  package init(
    gate: IntakeGate, validator: TaskValidator, inFlight: InFlightTasks, queue: TaskQueue, limiter: SubmissionLimiter,
    acceptance: TaskAcceptance, metrics: ExecutorMetrics, callerMemory: Int = Admission.callerMemory
  ) {
    self.gate = gate
    self.validator = validator
    self.inFlight = inFlight
    self.queue = queue
    self.limiter = limiter
    self.acceptance = acceptance
    self.metrics = metrics
    callers = Mutex(CallerLedger(limit: callerMemory))
  }

  // MARK: The door

  /// Lets submissions in, once recovery is done.
  package func open() {
    gate.open()
  }

  /// Refuses submissions from now on, begins no further run, and tells the callers of tasks that still wait to send them again.
  package func close(because state: String) {
    gate.close(because: state)
    inFlight.close(because: .notAccepting(state))
    for id in queue.stop() { inFlight.settle(id, with: .interrupted(.notAccepting(state))) }
  }

  /// Why submissions are not let in; nil while they are.
  package var obstacle: String? { gate.obstacle }

  /// Whether a caller waits for the outcome of a task.
  package var hasWaitingCallers: Bool { inFlight.haveCallers }

  /// Tells every caller that still waits to send its task again; what was accepted stays in the journal.
  package func interruptWaitingCallers() {
    inFlight.interruptAll()
  }

  // MARK: One submission

  /// Takes a submission through the steps of admission, cheap ones first: intake is open, memory is left, the task is in flight,
  /// its outcome is remembered, its rates are kept, it is valid. Then its task is opened.
  ///
  /// Holds the submission's memory until it returns or throws. After a return the caller still holds its own share, and gives it
  /// back with `callerLeft`.
  ///
  /// - Parameters:
  ///   - isStreamed: Whether the outcome waits for the aggregator's acknowledgement.
  ///   - recall: Answers a retry of a task that ended a short while ago; nil lets it go on as if that outcome were forgotten.
  ///   - join: Answers with the task in flight; the flag says whether this submission brought it.
  func admit<Answer: Sendable>(
    _ submission: TaskSubmission, isStreamed: Bool, recall: (TaskOutcome) async throws(Rejection) -> Answer?,
    join: (InFlightTask, Bool) async throws(Rejection) -> Answer
  ) async throws(Rejection) -> Answer {
    let avs = submission.operatorSet.avs
    metrics.taskReceived(avs)
    do throws(Rejection) {
      if let obstacle { throw .notAccepting(obstacle) }
      var held = submission.payload.count + Self.callerBytes
      guard callers.withLock({ $0.take(held, avs: avs) }) else { throw .tooManyCallers }
      defer { callers.withLock { $0.giveBack(held, avs: avs) } }
      let answer = try await answer(to: submission, isStreamed, recall, join)
      held -= Self.callerBytes
      return answer
    } catch {
      note(error, of: submission)
      throw error
    }
  }

  private func answer<Answer: Sendable>(
    to submission: TaskSubmission, _ isStreamed: Bool, _ recall: (TaskOutcome) async throws(Rejection) -> Answer?,
    _ join: (InFlightTask, Bool) async throws(Rejection) -> Answer
  ) async throws(Rejection) -> Answer {
    if let task = inFlight.task(submission.id), isRetry(submission, of: task.identity) { return try await join(task, false) }
    if let outcome = recentOutcome(of: submission), let answer = try await recall(outcome) { return answer }
    if let obstacle = limiter.obstacle(for: submission.owner) { throw obstacle }
    let (task, isNew) = try await acceptance.open(try await validator.validate(submission), isStreamed: isStreamed)
    return try await join(task, isNew)
  }

  /// Gives back the share of an admitted caller that waits no more.
  func callerLeft(_ avs: EthereumAddress) {
    callers.withLock { $0.giveBack(Self.callerBytes, avs: avs) }
  }

  /// The remembered outcome of a task with the same content and signature.
  private func recentOutcome(of submission: TaskSubmission) -> TaskOutcome? {
    guard let recent = inFlight.recentOutcome(of: submission.id), isRetry(submission, of: recent.identity) else { return nil }
    metrics.taskAnsweredFromMemory(submission.operatorSet.avs)
    return recent.outcome
  }

  /// Whether a submission repeats a task: equal content, under a signature that was verified before.
  private func isRetry(_ submission: TaskSubmission, of task: TaskIdentity) -> Bool {
    task.signature == submission.signature && task.contentHash == validator.contentHash(of: submission)
  }

  // MARK: Counting

  private func note(_ rejection: Rejection, of submission: TaskSubmission) {
    countRefused(submission.operatorSet.avs, code: rejection.code)
    if case .queueFull(let avs, let bound) = rejection { metrics.queue(.overflow(avs: avs, .rejectNewest, bound)) }
  }

  /// Counts a submission that was refused before it came here.
  func countRefused(_ avs: EthereumAddress, code: String) {
    metrics.taskRefused(avs, code: code)
  }

  /// Counts a message that could not be read as a submission.
  func countMalformed(_ rejection: Rejection) {
    metrics.taskRefused(nil, code: rejection.code)
  }
}
