import PonosCore

/// The one digest that may be signed for each task id, kept for longer than the task.
package protocol DigestStore: Sendable {
  /// Remembers for ever that `digest` is the one that may be signed for a task, unless another one is recorded already. In the
  /// same step an unfinished task moves to phase `collected` with `output`, so that it need not run again for its signature.
  func record(_ digest: SignedDigestRecord, output: [UInt8]) async throws(StoreError) -> DigestOutcome
  /// The digest that may be signed for a task; nil while there is none.
  func signedDigest(of id: TaskID) async throws(StoreError) -> SignedDigestRecord?
  /// Deletes digests recorded before `time` whose tasks are gone, and returns how many: another digest may be signed for their ids
  /// from then on. Works in steps, as `TaskStore.deleteTasks` does.
  func deleteDigests(recordedBefore time: UnixMilliseconds) async throws(StoreError) -> Int
}

/// What came of recording a digest.
package enum DigestOutcome: Sendable, Equatable {
  case recorded
  /// The same digest was recorded before: signing again gives the same signature.
  case sameAsRecorded
  /// Another digest is recorded; signing must be refused.
  case conflict(recorded: Digest32)
}
