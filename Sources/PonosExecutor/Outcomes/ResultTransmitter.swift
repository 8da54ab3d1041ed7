import Logging
import PonosCore
import PonosStore
import PonosSystem
import Synchronization

/// Brings outcomes to the sessions of those who submitted the tasks: at once when a session is open, from the store otherwise.
///
/// Owns which session an aggregator's outcomes for an AVS go to: the newest.
package final class ResultTransmitter: Sendable {
  /// A session, as seen from here. Its functions return at once.
  package struct Line: Sendable {
    /// Tells it from every other line.
    package let number: UInt64
    let finished: @Sendable (Deliverable<StreamAnswer>) -> Void
    let interrupted: @Sendable (StreamRefusal) -> Void
    let resultsWait: @Sendable () -> Void
    let supersede: @Sendable () -> Void
  }

  private let store: any DeliveryStore
  private let metrics: StreamMetrics
  private let lines = Mutex<[StreamParty: Line]>([:])

  package init(store: any DeliveryStore, metrics: StreamMetrics) {
    self.store = store
    self.metrics = metrics
  }

  /// Sends the party's outcomes by `line` from now on; the line they were sent by before ends.
  func attach(_ line: Line, to party: StreamParty) {
    lines.withLock { $0.updateValue(line, forKey: party) }?.supersede()
  }

  /// Forgets a line, unless another one has taken its place.
  func detach(_ number: UInt64, from party: StreamParty) {
    lines.withLock { lines in
      if lines[party]?.number == number { lines[party] = nil }
    }
  }

  /// A task ended, or was interrupted.
  package func settled(_ task: InFlightTask, _ outcome: TaskOutcome) {
    guard let line = lines.withLock({ $0[task.party] }) else { return }
    if let answer = StreamAnswer(outcome) {
      // Of a task that was taken up after a restart only the store knows whether it came by a stream.
      guard task.isStreamed else { return line.resultsWait() }
      line.finished(Deliverable(id: task.id, byteCount: answer.byteCount, answer: answer))
    } else if case .interrupted(let reason) = outcome, task.isStreamed {
      line.interrupted(StreamRefusal(reason, idText: task.id.description))
    }
  }

  /// Outcomes that wait in the store, oldest first.
  func waiting(
    for party: StreamParty, excluding excluded: Set<TaskID>, limit: Int, bytes: Int
  ) async throws(StoreError) -> (outcomes: [Deliverable<StreamAnswer>], isAll: Bool) {
    let page = try await store.deliveries(for: party, excluding: excluded, limit: limit, bytes: bytes)
    let outcomes = page.tasks.compactMap { task -> Deliverable<StreamAnswer>? in
      StreamAnswer(stored: task).map { Deliverable(id: task.id, byteCount: $0.byteCount, answer: $0) }
    }
    return (outcomes, page.isAll)
  }

  /// Makes the outcome of a task known already wait for `party`.
  func expect(_ id: TaskID, by party: StreamParty) async throws(StoreError) -> TaskStanding {
    try await store.expectDelivery(of: id, to: party)
  }

  /// The same for several tasks.
  func expect(_ ids: [TaskID], by party: StreamParty) async throws(StoreError) -> [TaskID: TaskStanding] {
    try await store.expectDeliveries(of: ids, to: party)
  }

  /// The party has these outcomes.
  func acknowledge(_ ids: [TaskID], by party: StreamParty) async throws(StoreError) {
    try await store.acknowledge(ids, by: party)
    metrics.acknowledged(party.avs, count: ids.count)
  }
}

extension StreamRefusal {
  init(_ rejection: Rejection, idText: String) {
    self.init(
      idText: idText, code: rejection.code, message: rejection.message,
      retryAfter: rejection.retryDelay.map { max(1, $0.milliseconds) })
  }
}
