import PonosCore

/// Accepted tasks, from their acceptance to the end of their retention.
package protocol TaskStore: Sendable {
  /// Writes an accepted task in phase `queued`, unless its id is known already. Throws `.overloaded` when too many writes wait;
  /// no other call does, so that tasks once accepted can be finished.
  func accept(_ task: AcceptedTaskRecord) async throws(StoreError) -> AcceptOutcome
  /// Moves an accepted task on; a task that this finishes keeps its submission no longer. Throws `.unknownTask` for an id
  /// never accepted and `.finishedTask` for a task that is signed or failed.
  func record(_ transition: TaskTransition, for id: TaskID) async throws(StoreError)
  /// Does the same without waiting for it and without a commit of its own: the step is written before the task's next one, in that one's
  /// commit or in an earlier one of other writes. A crash may forget it; reads of this store show it at once. `onFailure` is called when
  /// it cannot be written; it must not block.
  func recordSoon(_ transition: TaskTransition, for id: TaskID, onFailure: @escaping @Sendable (StoreError) -> Void)
  /// nil for an id never accepted, or already past its retention. Throws `.damaged` for a row that cannot be relied on.
  func task(_ id: TaskID) async throws(StoreError) -> TaskRecord?
  /// Ranges of sequence numbers, rising, with at most `size` unfinished tasks in each and all of them in one.
  func unfinishedPages(of size: Int) async throws(StoreError) -> [ClosedRange<Int64>]
  /// Tasks that are not finished, in the order of their acceptance, whose sequence numbers are in `range`.
  func unfinishedTasks(in range: ClosedRange<Int64>) async throws(StoreError) -> UnfinishedTasks
  /// Replaces a signed task's damaged result by one made again. Throws `.unknownTask` for a task that is not signed.
  func replaceResult(of id: TaskID, by result: [UInt8]) async throws(StoreError)
  /// The last `limit` tasks by acceptance, newest first, without payloads and outputs.
  func recentTasks(limit: Int) async throws(StoreError) -> [TaskSummary]
  /// Deletes signed and failed tasks that ended before `time`, and returns how many. Digests stay. Works in steps in the order of
  /// acceptance, so that it does not hold up other writers: when it throws, what earlier steps deleted is gone. A task that ended before
  /// it was accepted, by a clock that was set back, may stay until those accepted before it go.
  func deleteTasks(finishedBefore time: UnixMilliseconds) async throws(StoreError) -> Int
}

extension TaskStore {
  /// All tasks that are not finished and not damaged, in the order of their acceptance.
  package func unfinishedTasks() async throws(StoreError) -> [TaskRecord] {
    try await unfinishedTasks(in: 0...Int64.max).tasks
  }
}

/// What came of an acceptance.
package enum AcceptOutcome: Sendable, Equatable {
  /// Written; `sequence` is the task's place in the order of acceptances, and `hasDigest` says whether a digest was recorded for its id
  /// before, which alone may be signed.
  case accepted(sequence: Int64, hasDigest: Bool = false)
  /// The id is known: what is stored of it. Nothing was written.
  case known(TaskRecord)

  package var isAccepted: Bool {
    if case .accepted = self { true } else { false }
  }
}
