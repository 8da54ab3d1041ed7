/// What a store has done since it was opened, and how it is.
package struct StoreStatistics: Sendable, Equatable {
  /// Commits that reached the disk.
  package var commits: UInt64 = 0
  /// Writes in those commits.
  package var writes: UInt64 = 0
  /// Commits that failed.
  package var failedCommits: UInt64 = 0
  /// Writes that wait now.
  package var pending = 0
  /// Why the last write failed that the disk failed; nil once a later commit has written something.
  package var lastFailure: StoreError?
  /// Why the write-ahead log could not be moved into the database file the last time; nil once it could. Commits go on meanwhile,
  /// as long as there is room for the log.
  package var checkpointFailure: StoreError?

  package init() {}
}
