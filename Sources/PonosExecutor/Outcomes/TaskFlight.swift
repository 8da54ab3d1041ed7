import PonosAPI
import PonosCore
import PonosStore
import PonosSystem
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
  /// What a wait for a task to be written down ended with.
  enum Writing {
    /// The task is on disk.
    case onDisk
    /// The flight ended first, or has ended since.
    case ended(TaskOutcome)
    /// The waiting caller was cancelled; nothing is known of the task.
    case cancelled
  }

  package let id: TaskID
  package let contentHash: Digest32
  /// Whose task it is.
  package let party: StreamParty
  fileprivate let signature: [UInt8]

  private typealias Waiters<Answer> = [CheckedContinuation<Answer, Never>]

  private struct State {
    var outcome: TaskOutcome?
    /// Whether the task is written down.
    var isWritten: Bool
    /// Whether the outcome waits for the aggregator's acknowledgement, too.
    var isStreamed = false
    /// Those who wait for the task to be written down.
    var writtenWaiters: [UInt64: CheckedContinuation<Writing, Never>] = [:]
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
    for waiter in waiters { waiter.resume(returning: .onDisk) }
  }

  /// Returns as soon as the task is on disk or the flight has ended; also when the caller was cancelled.
  func written() async -> Writing {
    let number = nextNumber()
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let ready: Writing? = state.withLock { state in
          if let outcome = state.outcome { return .ended(outcome) }
          if state.isWritten { return .onDisk }
          if Task.isCancelled { return .cancelled }
          state.writtenWaiters[number] = continuation
          return nil
        }
        if let ready { continuation.resume(returning: ready) }
      }
    } onCancel: {
      state.withLock { $0.writtenWaiters.removeValue(forKey: number) }?.resume(returning: .cancelled)
    }
  }

  private func nextNumber() -> UInt64 {
    state.withLock { state in
      state.nextWaiter += 1
      return state.nextWaiter
    }
  }

  /// What is known of the task: with an equal content hash, its signature needs no second check.
  var identity: TaskIdentity { TaskIdentity(contentHash: contentHash, signature: signature) }

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

  /// Callers that wait for the outcome.
  var callers: Int { state.withLock { $0.waiters.count } }

  fileprivate func settle(_ outcome: TaskOutcome) {
    let (callers, receivers) = state.withLock { state -> (Waiters<TaskOutcome?>, Waiters<Writing>) in
      guard state.outcome == nil else { return ([], []) }
      state.outcome = outcome
      defer { (state.waiters, state.writtenWaiters) = ([:], [:]) }
      return (Array(state.waiters.values), Array(state.writtenWaiters.values))
    }
    for caller in callers { caller.resume(returning: outcome) }
    for receiver in receivers { receiver.resume(returning: .ended(outcome)) }
  }
}

/// What tells a task from others with its id, and the verified signature that goes with it.
struct TaskIdentity: Sendable {
  let contentHash: Digest32
  let signature: [UInt8]
}

/// The flights of this process by task id: what makes a retry join the run in flight instead of starting another. Remembers how they
/// ended for a while, for retries that come later.
package final class TaskFlights: Sendable {
  private struct State {
    var flights: [TaskID: TaskFlight] = [:]
    var recent: RecentOutcomes<TaskOutcome>
    /// Why no further flight is opened; nil while any is.
    var closed: Rejection?
  }

  private let state: Mutex<State>
  private let clock: TaskClock
  private let onSettled: @Sendable (TaskFlight, TaskOutcome) -> Void

  /// - Parameters:
  ///   - recent: How much is remembered of flights that ended.
  ///   - onSettled: Called for each flight that ends, after those who wait for it have been answered; must not block.
  package init(
    recent: RecentOutcomes<TaskOutcome>.Limits = .init(), clock: TaskClock = .system,
    onSettled: @escaping @Sendable (TaskFlight, TaskOutcome) -> Void = { _, _ in }
  ) {
    state = Mutex(State(recent: RecentOutcomes(limits: recent)))
    self.clock = clock
    self.onSettled = onSettled
  }

  /// What came of opening a flight.
  enum Opening {
    /// The caller owns the admission of the task and has to settle the flight if it fails.
    case opened(TaskFlight)
    /// Somebody else does.
    case inFlight(TaskFlight)
    /// The task is not in flight, and no further one is let in.
    case closed(Rejection)
  }

  func flight(of id: TaskID) -> TaskFlight? {
    state.withLock { $0.flights[id] }
  }

  /// How a task ended, if it did so of late; it is on disk then.
  func recentOutcome(of id: TaskID) -> (identity: TaskIdentity, outcome: TaskOutcome)? {
    let now = clock.monotonic()
    return state.withLock { state in
      state.recent.entry(of: id, now: now).map {
        (TaskIdentity(contentHash: $0.contentHash, signature: $0.signature), $0.outcome)
      }
    }
  }

  /// Opens no further flight from now on; those under way go on.
  func close(because reason: Rejection) {
    state.withLock { $0.closed = reason }
  }

  /// So many flights are about to be opened: room for them is made at once.
  func expect(_ count: Int) {
    state.withLock { $0.flights.reserveCapacity($0.flights.count + count) }
  }

  /// - Parameter isWritten: Whether the task is on disk already; who opens the flight of another one calls `markWritten`.
  func open(_ task: ValidatedTask, isWritten: Bool = true) -> Opening {
    state.withLock { state in
      if let flight = state.flights[task.submission.id] { return .inFlight(flight) }
      if let reason = state.closed { return .closed(reason) }
      let flight = TaskFlight(task, isWritten: isWritten)
      state.flights[flight.id] = flight
      return .opened(flight)
    }
  }

  /// Ends a flight and answers everybody who waits for it. Does nothing for an unknown id.
  package func settle(_ id: TaskID, with outcome: TaskOutcome) {
    let now = clock.monotonic()
    let flight = state.withLock { state in
      let flight = state.flights.removeValue(forKey: id)
      // In one step with its end, so that a retry finds the task in the one place or in the other.
      if let flight, let byteCount = outcome.memory {
        state.recent.keep(
          .init(
            contentHash: flight.contentHash, signature: flight.signature, outcome: outcome,
            byteCount: byteCount + flight.signature.count), of: id, now: now)
      }
      return flight
    }
    guard let flight else { return }
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
  package var haveCallers: Bool { state.withLock { $0.flights.values.contains { $0.callers > 0 } } }

  /// Ends every flight: the daemon stops, and what is not finished will be after the restart.
  package func interruptAll() {
    let all = state.withLock { state in
      defer { state.flights = [:] }
      return Array(state.flights.values)
    }
    for flight in all {
      let outcome = TaskOutcome.interrupted(.notAccepting("stopping"))
      flight.settle(outcome)
      onSettled(flight, outcome)
    }
  }

  /// Tasks between submission and outcome.
  package var count: Int { state.withLock { $0.flights.count } }
}

extension TaskOutcome {
  /// About what it takes in memory; nil for what is not final, and so not remembered.
  fileprivate var memory: Int? {
    switch self {
    case .signed(let result): 1024 + result.wire.output.count
    case .failed(let failure): 512 + failure.message.utf8.count
    case .refused, .interrupted: nil
    }
  }
}
