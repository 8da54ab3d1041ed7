import DequeModule
import GRDB
import PonosSystem
import Synchronization

/// Lets concurrent writers share a transaction and its fsync, without making a lone writer wait.
///
/// The first write to arrive starts a drain on the writer connection's queue and is committed at once; what arrives during its
/// fsync forms the next transaction. So a single write costs one fsync, and many at a time cost one fsync together. One that throws
/// is undone alone: the transaction is begun anew, with each of its writes in a savepoint of its own. Callers learn of success only
/// after the commit; when the commit fails, all of its callers get the error and nothing was changed.
package final class GroupCommitWriter: Sendable {
  /// Bounds of the queue and of one transaction.
  package struct Limits: Sendable {
    /// Writes that may wait; a store that is this far behind is failing.
    package var pendingWrites = 8192
    /// Writes that may wait when a task is newly accepted: the rest of the room is for tasks accepted before.
    package var pendingAdmissions = 6144
    /// Payload bytes that may wait when a task is newly accepted.
    package var pendingAdmissionBytes = 64 << 20
    /// Writes in one transaction; bounds the wait of the first of them.
    package var batchWrites = 256
    /// Payload bytes in one transaction, exceeded only by a single write that is larger.
    package var batchBytes = 4 << 20

    package init() {}
  }

  /// Whether a write brings new work or carries on work that was accepted before.
  package enum Kind: Sendable {
    /// Refused at once from a failure of the disk until some other write has worked.
    case admission
    case continuation
  }

  /// Transactions after which the drain lets other users of the writer connection have a turn.
  private static let batchesPerTurn = 16

  private struct PendingWrite: Sendable {
    /// Completes "could not …" in errors.
    let action: String
    let bytes: Int
    /// Runs the operation and returns what tells the caller its outcome once that is committed. May be called once more after what
    /// it did was undone.
    let apply: @Sendable (Database) throws -> @Sendable () -> Void
    let fail: @Sendable (StoreError) -> Void
  }

  private struct State {
    var pending: Deque<PendingWrite> = []
    var pendingBytes = 0
    var isDraining = false
    var isClosed = false
    var statistics = StoreStatistics()
    var closeWaiters: [CheckedContinuation<Void, Never>] = []
  }

  private let pool: DatabasePool
  private let limits: Limits
  private let failpoints: Failpoints
  private let onCommit: @Sendable (CommitReport) -> Void
  private let afterCommit: @Sendable (Database) -> Void
  private let state = Mutex(State())

  /// `onCommit` is called after each commit on the writer's queue and must be quick. `afterCommit` has the connection after each
  /// commit that succeeded, once its callers know.
  package init(
    pool: DatabasePool, limits: Limits = Limits(), failpoints: Failpoints = .disarmed,
    onCommit: @escaping @Sendable (CommitReport) -> Void = { _ in },
    afterCommit: @escaping @Sendable (Database) -> Void = { _ in }
  ) {
    self.pool = pool
    self.limits = limits
    self.failpoints = failpoints
    self.onCommit = onCommit
    self.afterCommit = afterCommit
  }

  /// Runs `operation` in a transaction shared with others and returns its value once the transaction is on disk.
  ///
  /// `action` completes "could not …" in errors; `bytes` is about the size of what is written. `operation` may be run once more after
  /// what it did was undone, so it must do nothing but read and write the database. Cancelling the caller has no
  /// effect: a write that was queued is made.
  package func write<Value: Sendable>(
    _ action: String, kind: Kind = .continuation, bytes: Int = 0,
    _ operation: @escaping @Sendable (Database) throws -> Value
  ) async throws(StoreError) -> Value {
    let outcome: Result<Value, StoreError> = await withCheckedContinuation { continuation in
      let write = PendingWrite(
        action: action, bytes: bytes,
        apply: { database in
          let value = try operation(database)
          return { continuation.resume(returning: .success(value)) }
        },
        fail: { continuation.resume(returning: .failure($0)) })
      enqueue(write, kind: kind)
    }
    return try outcome.get()
  }

  /// Runs `operation` as `write` does, for a caller that does not wait: before every write that is asked for after this one.
  /// `onFailure` is called on the writer's queue, or at once when too much waits, and must be quick.
  package func post(
    _ action: String, bytes: Int = 0, onFailure: @escaping @Sendable (StoreError) -> Void,
    _ operation: @escaping @Sendable (Database) throws -> Void
  ) {
    let write = PendingWrite(
      action: action, bytes: bytes,
      apply: { database in
        try operation(database)
        return {}
      }, fail: onFailure)
    enqueue(write, kind: .continuation)
  }

  /// What was done so far.
  package var statistics: StoreStatistics {
    state.withLock { state in
      var statistics = state.statistics
      statistics.pending = state.pending.count
      return statistics
    }
  }

  /// Refuses further writes and returns when those that wait are committed.
  package func close() async {
    await withCheckedContinuation { continuation in
      let isIdle = state.withLock { state in
        state.isClosed = true
        if state.isDraining { state.closeWaiters.append(continuation) }
        return !state.isDraining
      }
      if isIdle { continuation.resume() }
    }
  }

  // MARK: Queue

  private func enqueue(_ write: PendingWrite, kind: Kind) {
    let (refusal, mustStart) = state.withLock { state -> (StoreError?, Bool) in
      if let refusal = Self.refusal(of: write, kind: kind, state, limits) { return (refusal, false) }
      state.pending.append(write)
      state.pendingBytes += write.bytes
      defer { state.isDraining = true }
      return (nil, !state.isDraining)
    }
    if let refusal { write.fail(refusal) }
    if mustStart { startDrain() }
  }

  private static func refusal(
    of write: PendingWrite, kind: Kind, _ state: State, _ limits: Limits
  ) -> StoreError? {
    if state.isClosed { return StoreError(.closed, "could not \(write.action): the store is closed") }
    if kind == .admission, let failure = state.statistics.lastFailure {
      return StoreError(
        failure.code, "could not \(write.action): the store takes nothing new since a write failed (\(failure.message))")
    }
    let isFull =
      switch kind {
      case .admission:
        state.pending.count >= limits.pendingAdmissions
          || (state.pendingBytes > 0 && state.pendingBytes + write.bytes > limits.pendingAdmissionBytes)
      case .continuation: state.pending.count >= limits.pendingWrites
      }
    guard isFull else { return nil }
    return StoreError(
      .overloaded,
      "could not \(write.action): \(state.pending.count) writes wait for the disk; try again later or use a faster disk")
  }

  private func startDrain() {
    pool.asyncWriteWithoutTransaction { database in self.drain(database) }
  }

  /// Commits batch after batch until none waits; after some of them goes to the back of the connection's queue.
  private func drain(_ database: Database) {
    for _ in 0..<Self.batchesPerTurn {
      guard let batch = nextBatch() else { return }
      commit(batch, database)
    }
    startDrain()
  }

  private func nextBatch() -> [PendingWrite]? {
    let (batch, waiters) = state.withLock { state -> ([PendingWrite], [CheckedContinuation<Void, Never>]) in
      var batch: [PendingWrite] = []
      var bytes = 0
      while let next = state.pending.first, batch.count < limits.batchWrites,
        batch.isEmpty || bytes + next.bytes <= limits.batchBytes
      {
        batch.append(state.pending.removeFirst())
        bytes += next.bytes
      }
      state.pendingBytes -= bytes
      guard batch.isEmpty else { return (batch, []) }
      state.isDraining = false
      defer { state.closeWaiters = [] }
      return ([], state.closeWaiters)
    }
    waiters.forEach { $0.resume() }
    return batch.isEmpty ? nil : batch
  }

  // MARK: Transactions

  /// What a committed transaction leaves to do.
  private struct Committed {
    /// Tell each caller its outcome.
    var settlements: [@Sendable () -> Void] = []
    /// The last write that was undone because the disk failed it, rather than for its own fault.
    var diskFailure: StoreError?
    /// Whether any write that was not undone changed a row.
    var hasWritten = false
  }

  private func commit(_ batch: [PendingWrite], _ database: Database) {
    let start = ContinuousClock.now
    let outcome = transact(batch, database)
    let duration = ContinuousClock.now - start
    switch outcome {
    case .success(let committed):
      state.withLock { state in
        state.statistics.commits += 1
        state.statistics.writes += UInt64(batch.count)
        // A commit that wrote nothing says nothing about the disk.
        if committed.diskFailure != nil || committed.hasWritten { state.statistics.lastFailure = committed.diskFailure }
      }
      onCommit(CommitReport(writes: batch.count, duration: duration, isFailure: false))
      for settle in committed.settlements {
        settle()
        failpoints.pass(.commitTold)
      }
      afterCommit(database)
    case .failure(let error):
      state.withLock { state in
        state.statistics.failedCommits += 1
        state.statistics.lastFailure = error
      }
      onCommit(CommitReport(writes: batch.count, duration: duration, isFailure: true))
      batch.forEach { $0.fail(error) }
    }
  }

  /// Applies all of `batch` and commits. On failure the transaction is rolled back whole.
  private func transact(_ batch: [PendingWrite], _ database: Database) -> Result<Committed, StoreError> {
    do {
      try begin(database)
      var committed = Committed()
      if try !applyTogether(batch, database, &committed) {
        try begin(database)
        committed = Committed()
        for write in batch { try applyAlone(write, database, &committed) }
      }
      failpoints.pass(.commitApplied)
      try database.cachedStatement(sql: "COMMIT TRANSACTION").execute()
      failpoints.pass(.commitDurable)
      return .success(committed)
    } catch {
      let failure = StoreError(error, while: "commit", otherwise: .writeFailed)
      do {
        // Does nothing when SQLite has rolled back by itself.
        try database.rollback()
        return .failure(failure)
      } catch {
        // SQLite ends the transaction even when it reports that the rollback failed.
        return .failure(StoreError(failure.code, "\(failure.message); the rollback failed too: \(error)"))
      }
    }
  }

  private func begin(_ database: Database) throws {
    try database.cachedStatement(sql: "BEGIN IMMEDIATE TRANSACTION").execute()
  }

  /// Applies all writes as nearly always goes well: none fails. Otherwise ends the transaction with nothing changed, and returns
  /// false.
  private func applyTogether(
    _ batch: [PendingWrite], _ database: Database, _ committed: inout Committed
  ) throws -> Bool {
    let changes = database.totalChangesCount
    do {
      for write in batch { committed.settlements.append(try write.apply(database)) }
    } catch {
      // Which write it was, and what of it the caller is told, shows when each is applied alone.
      try database.rollback()
      return false
    }
    committed.hasWritten = database.totalChangesCount != changes
    return true
  }

  /// Applies one write in a savepoint. Throws only when the whole transaction is lost.
  private func applyAlone(_ write: PendingWrite, _ database: Database, _ committed: inout Committed) throws {
    try database.cachedStatement(sql: "SAVEPOINT one_write").execute()
    let changes = database.totalChangesCount
    do {
      let settle = try write.apply(database)
      try database.cachedStatement(sql: "RELEASE one_write").execute()
      if database.totalChangesCount != changes { committed.hasWritten = true }
      // Last: a write is settled once, one way or the other.
      committed.settlements.append(settle)
    } catch {
      // After some errors (disk full, I/O) SQLite has rolled back everything by itself.
      guard database.isInsideTransaction else { throw error }
      try database.cachedStatement(sql: "ROLLBACK TO one_write").execute()
      try database.cachedStatement(sql: "RELEASE one_write").execute()
      let failure = StoreError(error, while: write.action, otherwise: .writeFailed)
      if StoreError.isFailureOfDisk(error) { committed.diskFailure = failure }
      committed.settlements.append { write.fail(failure) }
    }
  }
}
