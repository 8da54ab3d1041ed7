import Logging
import PonosCore
import PonosStore
import PonosSystem
import Synchronization

/// Brings outcomes to the sessions of the tasks' owners: at once while a session is open, from the store otherwise.
///
/// Owns which session gets an aggregator's outcomes for an AVS: the newest one.
package final class ResultTransmitter: Sendable {
  /// A session that takes the outcomes of one owner's tasks. Its functions return at once.
  package struct Subscriber: Sendable {
    /// Tells it from every other subscriber.
    package let number: UInt64
    let finished: @Sendable (Deliverable<StreamAnswer>) -> Void
    let interrupted: @Sendable (StreamRefusal) -> Void
    let resultsWait: @Sendable () -> Void
    let supersede: @Sendable () -> Void
  }

  private let store: any DeliveryStore
  private let metrics: StreamMetrics
  private let subscribers = Mutex<[TaskOwner: Subscriber]>([:])

  package init(store: any DeliveryStore, metrics: StreamMetrics) {
    self.store = store
    self.metrics = metrics
  }

  /// Sends the owner's outcomes to `subscriber` from now on; the subscriber before it ends.
  func attach(_ subscriber: Subscriber, to owner: TaskOwner) {
    subscribers.withLock { $0.updateValue(subscriber, forKey: owner) }?.supersede()
  }

  /// Forgets a subscriber, unless another one has replaced it.
  func detach(_ number: UInt64, from owner: TaskOwner) {
    subscribers.withLock { subscribers in
      if subscribers[owner]?.number == number { subscribers[owner] = nil }
    }
  }

  /// Tells the owner's session that a task ended or was interrupted.
  package func settled(_ task: InFlightTask, _ outcome: TaskOutcome) {
    guard let subscriber = subscribers.withLock({ $0[task.owner] }) else { return }
    if let answer = StreamAnswer(outcome) {
      // For a task that was taken up after a restart, only the store knows whether it came by a stream.
      guard task.isStreamed else { return subscriber.resultsWait() }
      subscriber.finished(Deliverable(id: task.id, byteCount: answer.byteCount, answer: answer))
    } else if case .interrupted(let reason) = outcome, task.isStreamed {
      subscriber.interrupted(StreamRefusal(reason, idText: task.id.description))
    }
  }

  /// Outcomes that wait in the store, oldest first.
  func waiting(
    for owner: TaskOwner, excluding excluded: Set<TaskID>, limit: Int, bytes: Int
  ) async throws(StoreError) -> (outcomes: [Deliverable<StreamAnswer>], isAll: Bool) {
    let page = try await store.deliveries(for: owner, excluding: excluded, limit: limit, bytes: bytes)
    let outcomes = page.tasks.compactMap { task -> Deliverable<StreamAnswer>? in
      StreamAnswer(stored: task).map { Deliverable(id: task.id, byteCount: $0.byteCount, answer: $0) }
    }
    return (outcomes, page.isAll)
  }

  /// Makes the outcome of a known task wait for `owner`.
  func expect(_ id: TaskID, by owner: TaskOwner) async throws(StoreError) -> TaskStanding {
    try await store.expectDelivery(of: id, to: owner)
  }

  /// Makes the outcomes of several tasks wait for `owner`.
  func expect(_ ids: [TaskID], by owner: TaskOwner) async throws(StoreError) -> [TaskID: TaskStanding] {
    try await store.expectDeliveries(of: ids, to: owner)
  }

  /// Ends the waiting of outcomes that the owner has received.
  func acknowledge(_ ids: [TaskID], by owner: TaskOwner) async throws(StoreError) {
    try await store.acknowledge(ids, by: owner)
    metrics.acknowledged(owner.avs, count: ids.count)
  }
}

extension StreamRefusal {
  init(_ rejection: Rejection, idText: String) {
    self.init(
      idText: idText, code: rejection.code, message: rejection.message,
      retryAfter: rejection.retryDelay.map { max(1, $0.milliseconds) })
  }
}
