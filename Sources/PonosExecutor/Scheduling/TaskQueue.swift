import PonosCore
import Synchronization

/// The accepted tasks that wait for a slot. Intake puts them in, the task service takes them out.
package final class TaskQueue: Sendable {
  private let state: Mutex<TaskQueueStateMachine<AcceptedTask>>
  private let signal: AsyncStream<Void>.Continuation
  private let stopped = Mutex(false)
  private let collected = Mutex<[CollectedResult]>([])
  /// Yields when there may be something to dispatch: a task came, a slot became free, a performer was published. For one reader.
  package let wakeups: AsyncStream<Void>

  /// Payloads of waiting tasks may take this much memory together, those of one AVS a quarter of it.
  private static let maxBytes = 512 << 20

  package init(limits: QueueConfig) {
    state = Mutex(
      TaskQueueStateMachine(
        limits: .init(perAVS: limits.maxPerAVS, total: limits.maxTotal, bytes: Self.maxBytes, bytesPerAVS: Self.maxBytes / 4)))
    (wakeups, signal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  /// Takes a place; returns why there is none.
  func reserve(avs: EthereumAddress, byteCount: Int) -> Rejection? {
    state.withLock { $0.reserve(avs: avs, byteCount: byteCount) }.map { .queueFull(avs: avs, $0) }
  }

  func cancelReservation(avs: EthereumAddress, byteCount: Int) {
    state.withLock { $0.cancelReservation(avs: avs, byteCount: byteCount) }
  }

  /// Puts a task on the place reserved for it.
  func fillReservation(with task: AcceptedTask) {
    state.withLock { $0.fillReservation(with: Self.entry(for: task)) }
    wake()
  }

  /// Keeps a place for a task between two of its runs, whatever the limits say: it counts against newcomers meanwhile.
  func keepPlace(for task: AcceptedTask) {
    state.withLock { $0.reserveUnbounded(avs: task.avs, byteCount: task.task.submission.payload.count) }
  }

  /// Gives up the place kept for a task.
  func giveUpPlace(of task: AcceptedTask) {
    cancelReservation(avs: task.avs, byteCount: task.task.submission.payload.count)
  }

  /// Puts in what was accepted before, whatever the limits say.
  func resume(_ task: RestoredTask) {
    switch task {
    case .waiting(let task): state.withLock { $0.enqueueUnbounded(Self.entry(for: task)) }
    case .collected(let result): collected.withLock { $0.append(result) }
    }
    wake()
  }

  /// Takes out the results that need nothing more but their signature and delivery.
  func takeCollected() -> [CollectedResult] {
    collected.withLock { collected in
      defer { collected = [] }
      return collected
    }
  }

  /// The next task and the slot that `acquire` gave for it; nil when nothing can run now.
  func next(acquire: (AcceptedTask) -> PerformerRoster.Lease?) -> AssignedTask? {
    if isStopped { return nil }
    return state.withLock { state -> AssignedTask? in
      guard let (entry, lease) = state.next(admit: { acquire($0.content) }) else { return nil }
      return AssignedTask(entry.content, lease: lease)
    }
  }

  /// Takes out the tasks whose deadline is over.
  func removeExpired(now: Int64) -> [AcceptedTask] {
    state.withLock { $0.removeExpired(now: now) }.map(\.content)
  }

  /// Tasks of the AVS there is room for.
  package func freePlaces(avs: EthereumAddress) -> Int {
    state.withLock { $0.freePlaces(avs: avs) }
  }

  /// Takes out a task of `aggregator` that waits; nil when no such task does.
  func remove(_ id: TaskID, of aggregator: EthereumAddress, avs: EthereumAddress) -> AcceptedTask? {
    state.withLock { state in
      state.remove(avs: avs) { $0.id == id && $0.content.task.submission.aggregator == aggregator }
    }?.content
  }

  /// Asks the task service to look again.
  package func wake() {
    signal.yield()
  }

  /// Hands out no further task; what waits stays in the journal. Returns the ids of what waits.
  @discardableResult
  func stop() -> [TaskID] {
    stopped.withLock { $0 = true }
    return state.withLock { $0.waitingIDs }
  }

  /// Ends `wakeups`.
  func finish() {
    stop()
    signal.finish()
  }

  /// Whether `stop` was called.
  var isStopped: Bool { stopped.withLock(\.self) }

  /// Waiting tasks by AVS.
  package var depths: [EthereumAddress: Int] {
    state.withLock { $0.depths }
  }

  private static func entry(for task: AcceptedTask) -> TaskQueueStateMachine<AcceptedTask>.Entry {
    .init(
      id: task.id, avs: task.avs, priority: Int(task.priority), deadline: task.deadline, sequence: task.sequence,
      byteCount: task.task.submission.payload.count, content: task)
  }
}
