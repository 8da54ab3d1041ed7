import PonosAPI
import PonosCore
import PonosStore
import PonosSystem
import Synchronization

/// A task between its submission and its outcome, with the callers that wait for it. Settled once.
package final class InFlightTask: Sendable {
  /// How a wait for a task to be written down ended.
  enum Writing {
    /// The task is on disk.
    case onDisk
    /// The task has its outcome.
    case ended(TaskOutcome)
    /// The waiting caller was cancelled; nothing is known of the task.
    case cancelled
  }

  package let id: TaskID
  package let contentHash: Digest32
  /// Whose task it is.
  package let owner: TaskOwner
  fileprivate let signature: [UInt8]

  private struct State: Sendable {
    var outcome: TaskOutcome?
    /// Whether the task is written down.
    var isWritten: Bool
    /// Whether the outcome waits for the aggregator's acknowledgement, too.
    var isStreamed = false
    /// Those who wait for the task to be written down.
    var untilWritten = Waiters<Writing>()
    /// Those who wait for the outcome.
    var callers = Waiters<TaskOutcome?>()
  }

  private let state: Mutex<State>

  fileprivate init(_ task: ValidatedTask, isWritten: Bool) {
    id = task.submission.id
    contentHash = task.contentHash
    owner = task.submission.owner
    signature = task.submission.signature
    state = Mutex(State(isWritten: isWritten))
  }

  /// Whether the outcome waits for the aggregator's acknowledgement, too. False may mean that it is not known (yet).
  var isStreamed: Bool { state.withLock { $0.isStreamed } }

  func markStreamed() {
    state.withLock { $0.isStreamed = true }
  }

  fileprivate func markWritten() {
    state.withLock { state in
      state.isWritten = true
      return state.untilWritten.takeAll()
    }.resume(returning: .onDisk)
  }

  /// Returns as soon as the task is on disk or has its outcome; also when the caller was cancelled.
  func written() async -> Writing {
    await state.wait(in: \.untilWritten, cancelled: .cancelled) { state in
      if let outcome = state.outcome { return .ended(outcome) }
      return state.isWritten ? .onDisk : nil
    }
  }

  /// What tells the task from others: a submission with an equal content hash and signature needs no second check.
  var identity: TaskIdentity { TaskIdentity(contentHash: contentHash, signature: signature) }

  /// The outcome, as soon as there is one; nil when the waiting caller was cancelled. The task goes on without it.
  func outcome() async -> TaskOutcome? {
    await state.wait(in: \.callers, cancelled: nil) { state in state.outcome.map { .some($0) } }
  }

  fileprivate func dismissCallers(with outcome: TaskOutcome) {
    state.withLock { $0.callers.takeAll() }.resume(returning: outcome)
  }

  /// Callers that wait for the outcome.
  var callers: Int { state.withLock { $0.callers.count } }

  fileprivate func settle(_ outcome: TaskOutcome) {
    let waiting = state.withLock { state -> (callers: Waiters<TaskOutcome?>.Taken, untilWritten: Waiters<Writing>.Taken)? in
      guard state.outcome == nil else { return nil }
      state.outcome = outcome
      return (state.callers.takeAll(), state.untilWritten.takeAll())
    }
    waiting?.callers.resume(returning: outcome)
    waiting?.untilWritten.resume(returning: .ended(outcome))
  }
}

/// What tells a task from others with its id, and the verified signature that goes with it.
struct TaskIdentity: Sendable {
  let contentHash: Digest32
  let signature: [UInt8]
}

/// The tasks of this process between submission and outcome, by id: this is where a duplicate meets the task it repeats, instead
/// of starting another run. Remembers how tasks ended for a while, for retries that come later.
package final class InFlightTasks: Sendable {
  private struct State {
    var tasks: [TaskID: InFlightTask] = [:]
    var recent: RecentOutcomes<TaskOutcome>
    /// Why no further task is opened; nil while tasks are.
    var closed: Rejection?
  }

  private let state: Mutex<State>
  private let clock: TaskClock
  private let onSettled: @Sendable (InFlightTask, TaskOutcome) -> Void

  /// - Parameters:
  ///   - recent: How much is remembered of tasks that ended.
  ///   - onSettled: Called for each task that ends, after its callers have been answered; must not block.
  package init(
    recent: RecentOutcomes<TaskOutcome>.Limits = .init(), clock: TaskClock = .system,
    onSettled: @escaping @Sendable (InFlightTask, TaskOutcome) -> Void = { _, _ in }
  ) {
    state = Mutex(State(recent: RecentOutcomes(limits: recent)))
    self.clock = clock
    self.onSettled = onSettled
  }

  /// What came of opening a task.
  enum Opening {
    /// The task is new: the caller owns its admission, and has to settle it if that fails.
    case opened(InFlightTask)
    /// A task with this id is in flight already; whoever opened it owns its admission.
    case inFlight(InFlightTask)
    /// No task with this id is in flight, and no further one is opened.
    case closed(Rejection)
  }

  /// The task with this id, between its submission and its outcome.
  func task(_ id: TaskID) -> InFlightTask? {
    state.withLock { $0.tasks[id] }
  }

  /// How a task ended, if that was a short while ago; the outcome is on disk then.
  func recentOutcome(of id: TaskID) -> (identity: TaskIdentity, outcome: TaskOutcome)? {
    let now = clock.monotonic()
    return state.withLock { state in
      state.recent.entry(of: id, now: now).map {
        (TaskIdentity(contentHash: $0.contentHash, signature: $0.signature), $0.outcome)
      }
    }
  }

  /// Opens no further task from now on; those in flight go on.
  func close(because reason: Rejection) {
    state.withLock { $0.closed = reason }
  }

  /// Makes room for tasks that are about to be opened, all at once.
  func reserveCapacity(forFurther count: Int) {
    state.withLock { $0.tasks.reserveCapacity($0.tasks.count + count) }
  }

  /// - Parameter isWritten: Whether the task is on disk already; otherwise the caller calls `markWritten` as soon as it is.
  func open(_ task: ValidatedTask, isWritten: Bool = true) -> Opening {
    state.withLock { state in
      if let task = state.tasks[task.submission.id] { return .inFlight(task) }
      if let reason = state.closed { return .closed(reason) }
      let opened = InFlightTask(task, isWritten: isWritten)
      state.tasks[opened.id] = opened
      return .opened(opened)
    }
  }

  /// Ends a task and answers everybody who waits for it. Does nothing for an unknown id.
  package func settle(_ id: TaskID, with outcome: TaskOutcome) {
    let now = clock.monotonic()
    let task = state.withLock { state in
      let task = state.tasks.removeValue(forKey: id)
      // In one step with its end, so that a retry finds the task in the one place or in the other.
      if let task, let byteCount = outcome.memory {
        state.recent.keep(
          .init(
            contentHash: task.contentHash, signature: task.signature, outcome: outcome,
            byteCount: byteCount + task.signature.count), of: id, now: now)
      }
      return task
    }
    guard let task else { return }
    task.settle(outcome)
    onSettled(task, outcome)
  }

  /// Tells those who wait for it that the task is on disk. Does nothing for an unknown id.
  func markWritten(_ id: TaskID) {
    task(id)?.markWritten()
  }

  /// Answers the callers of a task now; the task goes on. Does nothing for an unknown id.
  package func dismissCallers(of id: TaskID, with outcome: TaskOutcome) {
    task(id)?.dismissCallers(with: outcome)
  }

  /// Whether a caller waits for the outcome of any task.
  package var haveCallers: Bool { state.withLock { $0.tasks.values.contains { $0.callers > 0 } } }

  /// Ends every task for this process: the daemon stops, and the next start takes up what is not finished.
  package func interruptAll() {
    let all = state.withLock { state in
      defer { state.tasks = [:] }
      return Array(state.tasks.values)
    }
    for task in all {
      let outcome = TaskOutcome.interrupted(.notAccepting("stopping"))
      task.settle(outcome)
      onSettled(task, outcome)
    }
  }

  /// Tasks between submission and outcome.
  package var count: Int { state.withLock { $0.tasks.count } }
}

extension TaskOutcome {
  /// About what the outcome takes in memory, in bytes; nil for one that is not final, and so not remembered.
  fileprivate var memory: Int? {
    switch self {
    case .signed(let result): 1024 + result.wire.output.count
    case .failed(let failure): 512 + failure.message.utf8.count
    case .refused, .interrupted: nil
    }
  }
}
