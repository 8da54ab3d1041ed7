import PonosCore

/// The durable outbox of task streams: whose outcomes wait for their aggregator's acknowledgement. Stores of tasks conform to it.
///
/// An outcome itself is in its task's row; the outbox has a row of its own for each task that was submitted by a stream, from its acceptance
/// (`AcceptedTaskRecord.isStreamed`) to the acknowledgement, or to the end of the task's retention.
package protocol DeliveryStore: Sendable {
  /// Makes the outcomes of tasks known already wait for `owner`, and says where each task stands: `unknown` unless it is a task of that
  /// aggregator and AVS.
  func expectDeliveries(of ids: [TaskID], to owner: TaskOwner) async throws(StoreError) -> [TaskID: TaskStanding]
  /// The outcomes that wait for `owner`, those that ended first coming first, without those in `excluded`.
  ///
  /// Those whose row is damaged are passed over and go on waiting: the aggregator that submits such a task again learns of it, or has
  /// its result made again.
  ///
  /// - Parameters:
  ///   - limit: So many at most.
  ///   - bytes: So many bytes of results at most, but at least one outcome.
  func deliveries(
    for owner: TaskOwner, excluding excluded: Set<TaskID>, limit: Int, bytes: Int
  ) async throws(StoreError) -> DeliveryPage
  /// Ends the waiting of these outcomes. Ids that are not of `owner`, or do not wait, are passed over.
  func acknowledge(_ ids: [TaskID], by owner: TaskOwner) async throws(StoreError)
}

extension DeliveryStore {
  /// The same for one task.
  package func expectDelivery(of id: TaskID, to owner: TaskOwner) async throws(StoreError) -> TaskStanding {
    try await expectDeliveries(of: [id], to: owner)[id] ?? .unknown
  }
}

/// Some of the outcomes that wait.
package struct DeliveryPage: Sendable, Equatable {
  /// Finished tasks.
  package var tasks: [TaskRecord]
  /// Whether there were no more.
  package var isAll: Bool

  package init(tasks: [TaskRecord], isAll: Bool) {
    self.tasks = tasks
    self.isAll = isAll
  }
}
