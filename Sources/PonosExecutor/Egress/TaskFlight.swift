import PonosCore
import Synchronization

/// How a submission ended.
package enum TaskOutcome: Sendable {
  case signed(SignedResult)
  /// Accepted, and failed for good.
  case failed(StoredFailure)
  /// Not accepted.
  case refused(Rejection)
  /// Accepted, and for this reason not finished by this process: a retry gets the result later.
  case interrupted(Rejection)
}

extension StoredFailure {
  /// A performer's own words travel in trailers, of which clients take 8 KiB.
  private static let maxMessageBytes = 1024

  package init(_ failure: TaskFailure) {
    let message = failure.message
    let isLong = message.utf8.count > Self.maxMessageBytes
    // A character that is cut in two becomes a replacement character.
    let text = isLong ? String(decoding: message.utf8.prefix(Self.maxMessageBytes), as: UTF8.self) + "…" : message
    self.init(code: failure.code, message: text)
  }
}

/// A task between its submission and its outcome, with the callers that wait for it. Settled once.
package final class TaskFlight: Sendable {
  package let id: TaskID
  package let contentHash: Digest32
  /// Whose task it is.
  package let party: StreamParty
  private let signature: [UInt8]

  private struct State {
    var outcome: TaskOutcome?
    /// Whether the task is written down.
    var isWritten: Bool
    /// Whether the outcome waits for the aggregator's acknowledgement, too.
    var isStreamed = false
    /// Those who wait for the task to be written down.
    var writtenWaiters: [UInt64: CheckedContinuation<TaskOutcome?, Never>] = [:]
    var waiters: [UInt64: CheckedContinuation<TaskOutcome?, Never>] = [:]
    var nextWaiter: UInt64 = 0
  }

  private let state: Mutex<State>

  init(_ task: ValidatedTask, isWritten: Bool) {
    id = task.submission.id
    contentHash = task.contentHash
    party = StreamParty(aggregator: task.submission.aggregator, avs: task.submission.operatorSet.avs)
    signature = task.submission.signature
    state = Mutex(State(isWritten: isWritten))
  }

  /// Whether the outcome waits for the aggregator's acknowledgement, too. False may mean that it is not known (yet).
  var isStreamed: Bool { state.withLock { $0.isStreamed } }

  func markStreamed() {
    state.withLock { $0.isStreamed = true }
  }

  /// The task is on disk.
  fileprivate func markWritten() {
    let waiters = state.withLock { state in
      state.isWritten = true
      defer { state.writtenWaiters = [:] }
      return Array(state.writtenWaiters.values)
    }
    for waiter in waiters { waiter.resume(returning: nil) }
  }

  /// Returns as soon as the task is on disk, with its outcome if there is one by then; also when the caller was cancelled.
  func written() async -> TaskOutcome? {
    let number = nextNumber()
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let ready: TaskOutcome?? = state.withLock { state in
          if let outcome = state.outcome { return .some(outcome) }
          if state.isWritten || Task.isCancelled { return .some(nil) }
          state.writtenWaiters[number] = continuation
          return nil
        }
        if let ready { continuation.resume(returning: ready) }
      }
    } onCancel: {
      state.withLock { $0.writtenWaiters.removeValue(forKey: number) }?.resume(returning: nil)
    }
  }

  private func nextNumber() -> UInt64 {
    state.withLock { state in
      state.nextWaiter += 1
      return state.nextWaiter
    }
  }

  /// Whether `submission` carries the signature that was verified for this flight; with an equal content hash it needs no second check.
  func hasSignature(of submission: TaskSubmission) -> Bool {
    signature == submission.signature
  }

  /// The outcome, as soon as there is one; nil when the waiting caller was cancelled. The flight goes on without it.
  func outcome() async -> TaskOutcome? {
    let number = nextNumber()
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let ready: TaskOutcome?? = state.withLock { state in
          if let outcome = state.outcome { return .some(outcome) }
          if Task.isCancelled { return .some(nil) }
          state.waiters[number] = continuation
          return nil
        }
        if let ready { continuation.resume(returning: ready) }
      }
    } onCancel: {
      state.withLock { $0.waiters.removeValue(forKey: number) }?.resume(returning: nil)
    }
  }

  fileprivate func dismissCallers(with outcome: TaskOutcome) {
    let waiters = state.withLock { state in
      defer { state.waiters = [:] }
      return Array(state.waiters.values)
    }
    for waiter in waiters { waiter.resume(returning: outcome) }
  }

  fileprivate var hasCallers: Bool { state.withLock { !$0.waiters.isEmpty } }

  fileprivate func settle(_ outcome: TaskOutcome) {
    let waiters = state.withLock { state -> [CheckedContinuation<TaskOutcome?, Never>] in
      guard state.outcome == nil else { return [] }
      state.outcome = outcome
      defer { (state.waiters, state.writtenWaiters) = ([:], [:]) }
      return Array(state.waiters.values) + Array(state.writtenWaiters.values)
    }
    for waiter in waiters { waiter.resume(returning: outcome) }
  }
}

/// The flights of this process by task id: what makes a retry join the run in flight instead of starting another.
package final class TaskFlights: Sendable {
  private let flights = Mutex<[TaskID: TaskFlight]>([:])
  private let onSettled: @Sendable (TaskFlight, TaskOutcome) -> Void

  /// `onSettled` is called for each flight that ends, after those who wait for it have been answered; it must not block.
  package init(onSettled: @escaping @Sendable (TaskFlight, TaskOutcome) -> Void = { _, _ in }) {
    self.onSettled = onSettled
  }

  /// What came of opening a flight.
  enum Opening {
    /// The caller owns the admission of the task and has to settle the flight if it fails.
    case opened(TaskFlight)
    /// Somebody else does.
    case inFlight(TaskFlight)
  }

  func flight(of id: TaskID) -> TaskFlight? {
    flights.withLock { $0[id] }
  }

  /// - Parameter isWritten: Whether the task is on disk already; who opens the flight of another one calls `markWritten`.
  func open(_ task: ValidatedTask, isWritten: Bool = true) -> Opening {
    flights.withLock { flights in
      if let flight = flights[task.submission.id] { return .inFlight(flight) }
      let flight = TaskFlight(task, isWritten: isWritten)
      flights[flight.id] = flight
      return .opened(flight)
    }
  }

  /// Ends a flight and answers everybody who waits for it. Does nothing for an unknown id.
  package func settle(_ id: TaskID, with outcome: TaskOutcome) {
    guard let flight = flights.withLock({ $0.removeValue(forKey: id) }) else { return }
    flight.settle(outcome)
    onSettled(flight, outcome)
  }

  /// The task of a flight is on disk. Does nothing for an unknown id.
  func markWritten(_ id: TaskID) {
    flight(of: id)?.markWritten()
  }

  /// Sends those away who wait for a task now; its flight goes on. Does nothing for an unknown id.
  package func dismissCallers(of id: TaskID, with outcome: TaskOutcome) {
    flight(of: id)?.dismissCallers(with: outcome)
  }

  /// Whether somebody waits for the outcome of any flight.
  package var haveCallers: Bool { flights.withLock { $0.values.contains { $0.hasCallers } } }

  /// Ends every flight: the daemon stops, and what is not finished will be after the restart.
  package func interruptAll() {
    let all = flights.withLock { flights in
      defer { flights = [:] }
      return Array(flights.values)
    }
    for flight in all {
      let outcome = TaskOutcome.interrupted(.notAccepting("stopping"))
      flight.settle(outcome)
      onSettled(flight, outcome)
    }
  }

  /// Tasks between submission and outcome.
  package var count: Int { flights.withLock { $0.count } }
}
