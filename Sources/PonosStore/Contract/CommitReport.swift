/// One commit as it happened, for the metrics.
package struct CommitReport: Sendable, Equatable {
  /// Writes that shared it, at least 1.
  package var writes: Int
  /// From taking the writes off the queue to the end of the fsync.
  package var duration: Duration
  /// Whether it failed, and every write of it with it.
  package var isFailure: Bool

  package init(writes: Int, duration: Duration, isFailure: Bool) {
    self.writes = writes
    self.duration = duration
    self.isFailure = isFailure
  }
}
