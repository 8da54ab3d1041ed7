import PonosCore
import Synchronization

/// The accepted tasks that wait for a slot. Intake puts them in, the task service takes them out.
package final class TaskQueue: Sendable {
  private let state: Mutex<TaskQueueStateMachine<AcceptedTask>>
  private let signal: AsyncStream<Void>.Continuation
  private let stopped = Mutex(false)
  /// Yields when there may be something to dispatch: a task came, a slot became free, a performer was published. For one reader.
  package let wakeups: AsyncStream<Void>

  /// Payloads of waiting tasks may take this much memory together.
  private static let maxBytes = 512 << 20

  package init(limits: QueueConfig) {
    state = Mutex(
      TaskQueueStateMachine(
        limits: .init(perAVS: limits.maxPerAVS, total: limits.maxTotal, bytes: Self.maxBytes)))
    (wakeups, signal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  /// Takes a place; returns why there is none.
  func reserve(avs: EthereumAddress, byteCount: Int) -> Rejection? {
    state.withLock { $0.reserve(avs: avs, byteCount: byteCount) } ? nil : .queueFull(avs: avs)
  }

  func cancelReservation(avs: EthereumAddress, byteCount: Int) {
    state.withLock { $0.cancelReservation(avs: avs, byteCount: byteCount) }
  }

  /// Puts a task on the place reserved for it.
  func fillReservation(with task: AcceptedTask) {
    state.withLock { $0.fillReservation(with: Self.entry(for: task)) }
    wake()
  }

  /// Puts in a task that was accepted before, whatever the limits say.
  func enqueueAgain(_ task: AcceptedTask) {
    state.withLock { $0.enqueueUnbounded(Self.entry(for: task)) }
    wake()
  }

  /// The next task and the slot that `acquire` gave for its AVS; nil when nothing can run now.
  func next(acquire: (EthereumAddress) -> PerformerRoster.Lease?) -> AssignedTask? {
    if isStopped { return nil }
    return state.withLock { state -> AssignedTask? in
      guard let (entry, lease) = state.next(admit: acquire) else { return nil }
      return AssignedTask(entry.content, lease: lease)
    }
  }

  /// Takes out the tasks whose deadline is over.
  func removeExpired(now: Int64) -> [AcceptedTask] {
    state.withLock { $0.removeExpired(now: now) }.map(\.content)
  }

  /// Asks the task service to look again.
  package func wake() {
    signal.yield()
  }

  /// Hands out no further task and ends `wakeups`; what waits stays in the journal.
  func stop() {
    stopped.withLock { $0 = true }
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
      id: task.id, avs: task.avs, priority: 0, deadline: task.deadline, sequence: task.sequence,
      byteCount: task.task.submission.payload.count, content: task)
  }
}
