import PonosCore

/// What the daemon must still know after a crash. Two implementations, `SQLiteStore` and `MemoryStore`, pass one conformance
/// suite.
///
/// A write has reached the disk when its call returns (`SQLiteStore`). Writes of concurrent callers share a commit. A call that
/// throws has changed nothing. A caller's cancellation does not stop a write: it ends as if the caller had stayed.
package protocol ExecutorStore: Sendable {
  // MARK: Tasks

  /// Writes an accepted task in phase `queued`, unless its id is known already. Throws `.overloaded` when too many writes wait;
  /// no other call does, so that tasks once accepted can be finished.
  func accept(_ task: AcceptedTaskRecord) async throws(StoreError) -> AcceptOutcome
  /// Moves an accepted task on; one that is finished by this keeps its submission no longer. Throws `.unknownTask` for an id
  /// never accepted and `.finishedTask` for one signed or failed.
  func record(_ transition: TaskTransition, for id: TaskID) async throws(StoreError)
  /// The same without waiting for it: the write is made before any that is asked for later, and shares their commit if they come soon.
  /// `onFailure` is called where the other one throws; it must not block.
  func recordSoon(_ transition: TaskTransition, for id: TaskID, onFailure: @escaping @Sendable (StoreError) -> Void)
  /// nil for an id never accepted, or already past its retention. Throws `.damaged` for one that cannot be relied on.
  func task(_ id: TaskID) async throws(StoreError) -> TaskRecord?
  /// Ranges of sequence numbers, rising, with at most `size` unfinished tasks in each and all of them in one.
  func unfinishedPages(of size: Int) async throws(StoreError) -> [ClosedRange<Int64>]
  /// Tasks that are not finished, in the order of their acceptance, whose sequence numbers are in `range`.
  func unfinishedTasks(in range: ClosedRange<Int64>) async throws(StoreError) -> UnfinishedTasks
  /// Puts a result made again in the place of a signed task's damaged one. Throws `.unknownTask` for a task that is not signed.
  func replaceResult(of id: TaskID, by result: [UInt8]) async throws(StoreError)
  /// The last `limit` tasks by acceptance, newest first, without payloads and outputs.
  func recentTasks(limit: Int) async throws(StoreError) -> [TaskSummary]
  /// Deletes signed and failed tasks that ended before `time`, and returns how many. Digests stay. Works in steps, so that it
  /// does not hold up other writers: when it throws, what earlier steps deleted is gone.
  func deleteTasks(finishedBefore time: UnixMilliseconds) async throws(StoreError) -> Int

  // MARK: Signed digests

  /// Remembers for ever that `digest` is the one that may be signed for a task, unless another one is recorded already. In the
  /// same step an unfinished task moves to phase `collected` with `output`, so that it need not run again for its signature.
  func record(_ digest: SignedDigestRecord, output: [UInt8]) async throws(StoreError) -> DigestOutcome
  /// The digest that may be signed for a task; nil while there is none.
  func signedDigest(of id: TaskID) async throws(StoreError) -> SignedDigestRecord?
  /// Deletes digests recorded before `time` whose tasks are gone, and returns how many: another digest may be signed for their ids
  /// from then on. Works in steps, as `deleteTasks` does.
  func deleteDigests(recordedBefore time: UnixMilliseconds) async throws(StoreError) -> Int

  // MARK: Performers

  /// Inserts the record, or replaces the one with its id.
  func save(_ performer: PerformerRecord) async throws(StoreError)
  /// Does nothing for an unknown id.
  func deletePerformer(id: String) async throws(StoreError)
  /// All of them, oldest first.
  func performers() async throws(StoreError) -> [PerformerRecord]

  // MARK: The installation

  /// Labels the containers that are ours: a random UUID made when the database was first opened; see `MemoryStore` for others.
  func installationID() async throws(StoreError) -> String
  /// Moves what the write-ahead log holds into the database file and shortens the log. Skipped while a reader is in the way.
  func compact() async throws(StoreError)
  /// Writes something and removes it again: returns when the disk has taken both.
  func tryToWrite() async throws(StoreError)
  /// Looks at every page and every record, beside other work, and returns what is wrong. Takes seconds for each GiB.
  func check() async throws(StoreError) -> StoreFindings
  /// Waits for pending writes and closes. Later calls throw `.closed`; closing again does nothing.
  func close() async throws(StoreError)
}

extension ExecutorStore {
  /// All tasks that are not finished and not damaged, in the order of their acceptance.
  package func unfinishedTasks() async throws(StoreError) -> [TaskRecord] {
    try await unfinishedTasks(in: 0...Int64.max).tasks
  }
}

/// What came of an acceptance.
package enum AcceptOutcome: Sendable, Equatable {
  /// Written; `sequence` is the task's place in the order of acceptances.
  case accepted(sequence: Int64)
  /// The id is known: what is stored of it. Nothing was written.
  case known(TaskRecord)

  package var isAccepted: Bool {
    if case .accepted = self { true } else { false }
  }
}

/// What came of recording a digest.
package enum DigestOutcome: Sendable, Equatable {
  case recorded
  /// The same digest was recorded before: signing again gives the same signature.
  case sameAsRecorded
  /// Another digest is recorded; signing must be refused.
  case conflict(recorded: Digest32)
}
