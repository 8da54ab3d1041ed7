import PonosConfiguration
import PonosContainers
import PonosCore
import Synchronization

/// The accepted tasks that wait for a slot. Intake puts them in, the task service takes them out.
package final class TaskQueue: Sendable {
  private struct State {
    var machine: TaskQueueStateMachine<AcceptedTask>
    var isStopped = false
  }

  private let state: Mutex<State>
  private let signal: AsyncStream<Void>.Continuation
  private let collected = Mutex<[RestoredOutput]>([])
  private let displaced = Mutex<[AcceptedTask]>([])
  private let observe: @Sendable (QueueEvent) -> Void
  /// What happens when the queue is full.
  package let overflow: OverflowPolicy
  /// Yields when there may be something to dispatch: a task came, a slot became free, a performer was published. For one reader.
  package let wakeups: AsyncStream<Void>

  /// Payloads of waiting tasks may take this much memory together, those of one AVS a quarter of it. The shares kept for AVSs
  /// that come last may double it at the most.
  package static let maxBytes = 512 << 20

  /// - Parameters:
  ///   - weights: The AVSs that are served, with their shares of the turns. Each of them is guaranteed an equal part of the
  ///     places, whatever the others take.
  ///   - maxBytes: See `TaskQueue.maxBytes`.
  ///   - observe: Called for everything worth counting, outside any lock; must not block.
  package init(
    limits: QueueConfig, weights: [EthereumAddress: Int] = [:], maxBytes: Int = TaskQueue.maxBytes,
    observe: @escaping @Sendable (QueueEvent) -> Void = { _ in }
  ) {
    var bounds = TaskQueueStateMachine<AcceptedTask>.Limits(
      perAVS: limits.maxPerAVS, total: limits.maxTotal, bytes: maxBytes, bytesPerAVS: maxBytes / 4,
      expectedBytes: TaskSubmission.maxPayloadBytes, overflow: limits.overflow)
    if !weights.isEmpty {
      (bounds.guaranteed, bounds.guaranteedBytes) = (limits.maxTotal / weights.count, maxBytes / weights.count)
      // The first task of each AVS fits into its guarantee, however many AVSs the configuration has.
      bounds.expectedBytes = min(bounds.expectedBytes, bounds.guaranteedBytes)
    }
    state = Mutex(State(machine: TaskQueueStateMachine(limits: bounds, weights: weights)))
    overflow = limits.overflow
    self.observe = observe
    (wakeups, signal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  // MARK: Room

  /// Takes a place for a task. Returns why there is none; nil when one was taken.
  ///
  /// - Parameters:
  ///   - priority: Of the task; under some overflow policies a task may take another one's place.
  ///   - deadline: Of the task, on the monotonic clock; decides likewise.
  func reserve(avs: EthereumAddress, byteCount: Int, priority: Int, deadline: Int64) -> Rejection? {
    state.withLock {
      $0.machine.reserve(avs: avs, byteCount: byteCount, priority: priority, deadline: deadline)
    }.map { .queueFull(avs: avs, $0) }
  }

  func cancelReservation(avs: EthereumAddress, byteCount: Int) {
    state.withLock { $0.machine.cancelReservation(avs: avs, byteCount: byteCount) }
  }

  /// Puts a task on the place reserved for it, and returns true. A task it displaces is kept for `takeDisplaced`. False when the
  /// queue was stopped: then the place is given up, and the task is left to the journal.
  func fillReservation(with task: AcceptedTask) -> Bool {
    let byteCount = task.task.submission.payload.count
    let (isTaken, victim) = state.withLock { state -> (Bool, (displaced: QueueEntry<AcceptedTask>, bound: QueueBound)?) in
      guard !state.isStopped else {
        state.machine.cancelReservation(avs: task.avs, byteCount: byteCount)
        return (false, nil)
      }
      return (true, state.machine.fillReservation(with: Self.entry(for: task)))
    }
    if let (entry, bound) = victim {
      displaced.withLock { $0.append(entry.content) }
      observe(.overflow(avs: entry.avs, overflow, bound))
    }
    wake()
    return isTaken
  }

  /// Keeps a place for a task between two of its runs, whatever the limits say. The place counts against newcomers.
  func keepPlace(for task: AcceptedTask) {
    state.withLock { $0.machine.reserveUnbounded(avs: task.avs, byteCount: task.task.submission.payload.count) }
  }

  /// Gives up the place kept for a task.
  func giveUpPlace(of task: AcceptedTask) {
    cancelReservation(avs: task.avs, byteCount: task.task.submission.payload.count)
  }

  /// Tasks of the AVS that have room now: the credit that a stream may get. A hint, since other submissions may be faster.
  package func freePlaces(avs: EthereumAddress) -> Int {
    state.withLock { $0.machine.freePlaces(avs: avs) }
  }

  /// How far the AVS, and all AVSs together, are from their bounds. A hint as well.
  package func room(avs: EthereumAddress) -> QueueRoom {
    state.withLock { $0.machine.room(avs: avs) }
  }

  // MARK: Tasks

  /// Puts in a task that was accepted before, whatever the limits say. Returns false when the queue was stopped.
  @discardableResult
  func resume(_ task: RestoredTask) -> Bool {
    resume(CollectionOfOne(task))
  }

  /// Puts in many tasks that were accepted before, in one step.
  @discardableResult
  func resume(_ tasks: some Collection<RestoredTask>) -> Bool {
    let areTaken = state.withLock { state in
      if state.isStopped { return false }
      for task in tasks {
        switch task {
        case .waiting(let task): state.machine.enqueueUnbounded(Self.entry(for: task))
        case .collected(let output): collected.withLock { $0.append(output) }
        }
      }
      return true
    }
    wake()
    return areTaken
  }

  /// Takes out the outputs that lack only signature and delivery.
  func takeCollected() -> [RestoredOutput] {
    collected.withLock { collected in
      defer { collected = [] }
      return collected
    }
  }

  /// Takes out the tasks that others displaced. They were accepted, so the caller ends them with a failure.
  func takeDisplaced() -> [AcceptedTask] {
    displaced.withLock { displaced in
      defer { displaced = [] }
      return displaced
    }
  }

  /// The next task and the slot that `acquire` gave for it; nil when nothing can run now.
  func next(acquire: (AcceptedTask) -> PerformerRoster.Lease?) -> AssignedTask? {
    if isStopped { return nil }
    return state.withLock { state -> AssignedTask? in
      guard let (entry, lease) = state.machine.next(admit: { acquire($0.content) }) else { return nil }
      return AssignedTask(entry.content, lease: lease)
    }
  }

  /// Takes out the tasks whose deadline is over.
  func removeExpired(now: Int64) -> [AcceptedTask] {
    let expired = state.withLock { $0.machine.removeExpired(now: now) }.map(\.content)
    for task in expired { observe(.expired(avs: task.avs)) }
    return expired
  }

  /// Takes out a waiting task of `owner`; nil when none with the id waits.
  func remove(_ id: TaskID, of owner: TaskOwner) -> AcceptedTask? {
    state.withLock { state in
      state.machine.remove(id, avs: owner.avs) { $0.content.owner == owner }
    }?.content
  }

  /// Asks the AVS's tasks again: a slot of its performers may have become free, or a performer has come.
  package func slotsChanged(of avs: EthereumAddress) {
    state.withLock { $0.machine.reconsider(avs) }
    wake()
  }

  /// Asks the task service to look again.
  package func wake() {
    signal.yield()
  }

  /// Hands out no further task; waiting tasks stay in the journal. Returns their ids.
  @discardableResult
  func stop() -> [TaskID] {
    state.withLock { state in
      state.isStopped = true
      return state.machine.waitingIDs
    }
  }

  /// Ends `wakeups`.
  func finish() {
    stop()
    signal.finish()
  }

  /// Whether `stop` was called.
  var isStopped: Bool { state.withLock { $0.isStopped } }

  /// Waiting tasks by AVS.
  package var depths: [EthereumAddress: Int] {
    state.withLock { $0.machine.depths }
  }

  private static func entry(for task: AcceptedTask) -> QueueEntry<AcceptedTask> {
    .init(
      id: task.id, avs: task.avs, priority: task.priority, deadline: task.deadline, sequence: task.sequence,
      byteCount: task.task.submission.payload.count, content: task)
  }
}
