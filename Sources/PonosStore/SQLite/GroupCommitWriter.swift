import DequeModule
import Dispatch
import GRDB
import PonosSystem
import Synchronization

/// Lets concurrent writers share a transaction and its fsync, without making a lone writer wait.
///
/// The first write to arrive starts a drain on the writer connection's queue and is committed at once; what arrives during its
/// fsync forms the next transaction. So a single write costs one fsync, and many at a time cost one fsync together. Where several writers
/// keep coming, a transaction waits a little for as many as came of late (`CommitGathering`). A write that throws
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
    /// How long a transaction may wait for others than its first writer, where others have been coming.
    package var gatherTime = Duration.milliseconds(5)

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

  fileprivate struct PendingWrite: Sendable {
    /// Completes "could not …" in errors.
    let action: String
    let bytes: Int
    /// Runs the operation and returns what tells the caller its outcome once that is committed. May be called once more after what
    /// it did was undone.
    let apply: @Sendable (WriterConnection) throws -> @Sendable () -> Void
    let fail: @Sendable (StoreError) -> Void
    /// Whether somebody waits for it; otherwise it is made beside the next write that somebody waits for.
    var isAwaited = true
  }

  fileprivate struct State {
    var pending: Deque<PendingWrite> = []
    var pendingBytes = 0
    /// Those of the pending writes that somebody waits for.
    var awaited = 0
    /// Whether a drain works or is on its way, by itself or by the timer of a transaction that waits for others.
    var isDraining = false
    /// Counts the waits for others; nil while there is none.
    var gathering: UInt64?
    var gatherings: UInt64 = 0
    var company = CommitGathering()
    var isClosed = false
    var statistics = StoreStatistics()
    var closeWaiters: [CheckedContinuation<Void, Never>] = []
  }

  private let pool: DatabasePool
  private let limits: Limits
  private let failpoints: Failpoints
  private let onCommit: @Sendable (CommitReport) -> Void
  private let afterCommit: @Sendable (Database) -> Void
  private let statements: HotStatements
  private let state = Mutex(State())

  /// `onCommit` is called after each commit on the writer's queue and must be quick. `afterCommit` has the connection after each
  /// commit that succeeded, once its callers know.
  package init(
    pool: DatabasePool, statements: HotStatements = HotStatements(), limits: Limits = Limits(),
    failpoints: Failpoints = .disarmed,
    onCommit: @escaping @Sendable (CommitReport) -> Void = { _ in },
    afterCommit: @escaping @Sendable (Database) -> Void = { _ in }
  ) {
    self.pool = pool
    self.statements = statements
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
    _ operation: @escaping @Sendable (WriterConnection) throws -> Value
  ) async throws(StoreError) -> Value {
    let outcome: Result<Value, StoreError> = await withCheckedContinuation { continuation in
      let write = PendingWrite(
        action: action, bytes: bytes,
        apply: { connection in
          let value = try operation(connection)
          return { continuation.resume(returning: .success(value)) }
        },
        fail: { continuation.resume(returning: .failure($0)) })
      enqueue(write, kind: kind)
    }
    return try outcome.get()
  }

  /// Runs `operation` as `write` does, for a caller that does not wait: before every write that is asked for after this one, and in the
  /// transaction of the next that somebody waits for. `onFailure` is called on the writer's queue, or at once when too much waits, and
  /// must be quick.
  package func post(
    _ action: String, bytes: Int = 0, onFailure: @escaping @Sendable (StoreError) -> Void,
    _ operation: @escaping @Sendable (WriterConnection) throws -> Void
  ) {
    let write = PendingWrite(
      action: action, bytes: bytes,
      apply: { connection in
        try operation(connection)
        return {}
      }, fail: onFailure, isAwaited: false)
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

  /// Refuses further writes and returns when those that were asked for are committed.
  package func close() async {
    await withCheckedContinuation { continuation in
      let (isIdle, mustStart) = state.withLock { state in
        state.isClosed = true
        if !state.isDraining, state.pending.isEmpty { return (true, false) }
        state.closeWaiters.append(continuation)
        defer { (state.isDraining, state.gathering) = (true, nil) }
        return (false, !state.isDraining || state.gathering != nil)
      }
      if isIdle { continuation.resume() }
      if mustStart { startDrain() }
    }
  }

  // MARK: Queue

  /// What is to be done to have the pending writes made.
  fileprivate enum Start {
    case none, now
    /// When others have come, or after `gatherTime`, unless this wait is over by then.
    case afterGathering(UInt64)
  }

  private func enqueue(_ write: PendingWrite, kind: Kind) {
    let (refusal, start) = state.withLock { state -> (StoreError?, Start) in
      if let refusal = Self.refusal(of: write, kind: kind, state, limits) { return (refusal, .none) }
      state.pending.append(write)
      state.pendingBytes += write.bytes
      guard write.isAwaited else { return (nil, .none) }
      state.awaited += 1
      if state.gathering != nil { return (nil, state.hasGathered(limits) ? state.endGathering() : .none) }
      guard !state.isDraining else { return (nil, .none) }
      state.isDraining = true
      return (nil, state.start(limits))
    }
    if let refusal { write.fail(refusal) }
    perform(start)
  }

  private func perform(_ start: Start) {
    switch start {
    case .none: break
    case .now: startDrain()
    case .afterGathering(let number):
      DispatchQueue.global().asyncAfter(deadline: .now() + limits.gatherTime / .seconds(1)) {
        let isOver = self.state.withLock { state in
          guard state.gathering == number else { return true }
          _ = state.endGathering()
          return false
        }
        if !isOver { self.startDrain() }
      }
    }
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
    pool.asyncWriteWithoutTransaction { database in self.drain(WriterConnection(database, self.statements)) }
  }

  /// Commits batch after batch until none is due; after some of them goes to the back of the connection's queue.
  private func drain(_ connection: WriterConnection) {
    for turn in 0..<Self.batchesPerTurn {
      guard let batch = nextBatch(isFirst: turn == 0) else { return }
      commit(batch, connection)
    }
    startDrain()
  }

  /// The next transaction; nil when none is due now.
  ///
  /// - Parameter isFirst: Whether a drain has just been started for it, which does not wait once more.
  private func nextBatch(isFirst: Bool) -> [PendingWrite]? {
    let (batch, start, waiters) = state.withLock { state -> ([PendingWrite], Start, [CheckedContinuation<Void, Never>]) in
      guard state.awaited > 0 || (state.isClosed && !state.pending.isEmpty) else {
        state.isDraining = false
        defer { state.closeWaiters = [] }
        return ([], .none, state.closeWaiters)
      }
      if !isFirst, !state.isClosed, case .afterGathering(let number) = state.start(limits) {
        return ([], .afterGathering(number), [])
      }
      return (state.takeBatch(limits), .none, [])
    }
    waiters.forEach { $0.resume() }
    perform(start)
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

  private func commit(_ batch: [PendingWrite], _ connection: WriterConnection) {
    let start = ContinuousClock.now
    let outcome = transact(batch, connection)
    let end = ContinuousClock.now
    let duration = end - start
    state.withLock { state in state.company.committed(batch.count { $0.isAwaited }, arrivedMeanwhile: state.awaited, at: end) }
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
      afterCommit(connection.database)
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
  private func transact(_ batch: [PendingWrite], _ connection: WriterConnection) -> Result<Committed, StoreError> {
    do {
      try connection.statement(.begin).run()
      var committed = Committed()
      if try !applyTogether(batch, connection, &committed) {
        try connection.statement(.begin).run()
        committed = Committed()
        for write in batch { try applyAlone(write, connection, &committed) }
      }
      failpoints.pass(.commitApplied)
      try connection.statement(.commit).run()
      failpoints.pass(.commitDurable)
      return .success(committed)
    } catch {
      let failure = StoreError(error, while: "commit", otherwise: .writeFailed)
      do {
        // Does nothing when SQLite has rolled back by itself.
        try connection.database.rollback()
        return .failure(failure)
      } catch {
        // SQLite ends the transaction even when it reports that the rollback failed.
        return .failure(StoreError(failure.code, "\(failure.message); the rollback failed too: \(error)"))
      }
    }
  }

  /// Applies all writes as nearly always goes well: none fails. Otherwise ends the transaction with nothing changed, and returns
  /// false.
  private func applyTogether(
    _ batch: [PendingWrite], _ connection: WriterConnection, _ committed: inout Committed
  ) throws -> Bool {
    let database = connection.database
    let changes = database.totalChangesCount
    do {
      for write in batch { committed.settlements.append(try write.apply(connection)) }
    } catch {
      // Which write it was, and what of it the caller is told, shows when each is applied alone.
      try database.rollback()
      return false
    }
    committed.hasWritten = database.totalChangesCount != changes
    return true
  }

  /// Applies one write in a savepoint. Throws only when the whole transaction is lost.
  private func applyAlone(_ write: PendingWrite, _ connection: WriterConnection, _ committed: inout Committed) throws {
    let database = connection.database
    try database.cachedStatement(sql: "SAVEPOINT one_write").execute()
    let changes = database.totalChangesCount
    do {
      let settle = try write.apply(connection)
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

extension GroupCommitWriter.State {
  /// Whether the pending writes are made at once, or wait for others.
  fileprivate mutating func start(_ limits: GroupCommitWriter.Limits) -> GroupCommitWriter.Start {
    guard !isClosed, company.isExpected(within: limits.gatherTime), !hasGathered(limits) else { return .now }
    gatherings += 1
    gathering = gatherings
    return .afterGathering(gatherings)
  }

  /// Whether as many wait as are expected, or as fit.
  fileprivate func hasGathered(_ limits: GroupCommitWriter.Limits) -> Bool {
    awaited >= company.expected || pending.count >= limits.batchWrites || pendingBytes >= limits.batchBytes
  }

  fileprivate mutating func endGathering() -> GroupCommitWriter.Start {
    gathering = nil
    return .now
  }

  fileprivate mutating func takeBatch(_ limits: GroupCommitWriter.Limits) -> [GroupCommitWriter.PendingWrite] {
    var batch: [GroupCommitWriter.PendingWrite] = []
    var bytes = 0
    while let next = pending.first, batch.count < limits.batchWrites, batch.isEmpty || bytes + next.bytes <= limits.batchBytes {
      batch.append(pending.removeFirst())
      bytes += next.bytes
      if next.isAwaited { awaited -= 1 }
    }
    pendingBytes -= bytes
    return batch
  }
}
