import GRDB
import PonosCore
import PonosSystem
import Synchronization

/// The durable store: one SQLite database in WAL mode, whose commits are on disk when they return.
///
/// Writes go through one `GroupCommitWriter`; reads run beside them on connections of their own and see every write whose call
/// has returned.
package final class SQLiteStore: ExecutorStore {
  private let file: DatabaseFile
  let writer: GroupCommitWriter
  private let checkpoints: LogCheckpoints
  private let installation: String
  /// nil once closed. Reads are begun under the lock, so that none begins after the pool was taken away.
  private let pool: Mutex<DatabasePool?>

  /// Tasks deleted in one step; a step holds up other writers for a few milliseconds.
  private static let deletionStep = 500

  /// Opens the database at `path`, making file and directories if need be, and brings it up to date. Blocks; meant for the start.
  ///
  /// Throws `.locked` when another daemon has it, `.cannotOpen` for a file that is not ours, damaged, or of a newer version.
  /// `onCommit` is called after each commit, and `onCheckpointFailure` each time the write-ahead log could not be moved into the
  /// database file, both on the writer's queue; they must be quick.
  package static func open(
    path: String, limits: GroupCommitWriter.Limits = .init(), failpoints: Failpoints = .disarmed,
    onCommit: @escaping @Sendable (CommitReport) -> Void = { _ in }, onCheckpointFailure: @escaping @Sendable () -> Void = {}
  ) throws(StoreError) -> SQLiteStore {
    let file = try DatabaseFile(path: path)
    let pool = try SQLiteConnections.open(file)
    let installation: String
    do {
      installation = try pool.read { try SQLiteQueries.installationID($0) }
    } catch {
      throw StoreError(error, while: "read the installation id", otherwise: .cannotOpen)
    }
    let checkpoints = LogCheckpoints(onFailure: onCheckpointFailure)
    pool.writeWithoutTransaction { checkpoints.attach(to: $0) }
    return SQLiteStore(
      file: file, pool: pool, installation: installation, checkpoints: checkpoints,
      writer: GroupCommitWriter(
        pool: pool, limits: limits, failpoints: failpoints, onCommit: onCommit, afterCommit: { checkpoints.moveIfDue($0) }))
  }

  private init(
    file: DatabaseFile, pool: DatabasePool, installation: String, checkpoints: LogCheckpoints, writer: GroupCommitWriter
  ) {
    self.file = file
    self.pool = Mutex(pool)
    self.installation = installation
    self.checkpoints = checkpoints
    self.writer = writer
  }

  /// Commits and writes since the store was opened, and what of it fails.
  package var statistics: StoreStatistics {
    var statistics = writer.statistics
    statistics.checkpointFailure = checkpoints.failure
    return statistics
  }

  // MARK: Tasks

  package func accept(_ task: AcceptedTaskRecord) async throws(StoreError) -> AcceptOutcome {
    let seals = SQLiteQueries.AcceptanceSeals(task)
    return try await writer.write("accept task \(task.id)", kind: .admission, bytes: task.submission.count) { database in
      try SQLiteQueries.accept(task, seals, database)
    }
  }

  package func record(_ transition: TaskTransition, for id: TaskID) async throws(StoreError) {
    let step = SQLiteQueries.Step(transition, of: id)
    try await writer.write("record a step of task \(id)", bytes: transition.payloadBytes) { database in
      try SQLiteQueries.record(step, database)
    }
  }

  package func recordSoon(
    _ transition: TaskTransition, for id: TaskID, onFailure: @escaping @Sendable (StoreError) -> Void
  ) {
    let step = SQLiteQueries.Step(transition, of: id)
    writer.post("record a step of task \(id)", bytes: transition.payloadBytes, onFailure: onFailure) { database in
      try SQLiteQueries.record(step, database)
    }
  }

  package func task(_ id: TaskID) async throws(StoreError) -> TaskRecord? {
    try await read("read task \(id)") { try SQLiteQueries.task(id, $0) }
  }

  package func unfinishedPages(of size: Int) async throws(StoreError) -> [ClosedRange<Int64>] {
    try await read("count unfinished tasks") { try SQLiteQueries.unfinishedPages(of: size, $0) }
  }

  package func unfinishedTasks(in range: ClosedRange<Int64>) async throws(StoreError) -> UnfinishedTasks {
    try await read("read unfinished tasks") { try SQLiteQueries.unfinishedTasks(in: range, $0) }
  }

  package func replaceResult(of id: TaskID, by result: [UInt8]) async throws(StoreError) {
    try await writer.write("replace the result of task \(id)", bytes: result.count) { database in
      try SQLiteQueries.replaceResult(of: id, by: result, database)
    }
  }

  package func recentTasks(limit: Int) async throws(StoreError) -> [TaskSummary] {
    try await read("read recent tasks") { try SQLiteQueries.recentTasks(limit: limit, $0) }
  }

  package func deleteTasks(finishedBefore time: UnixMilliseconds) async throws(StoreError) -> Int {
    var total = 0
    while true {
      let deleted = try await writer.write("delete old tasks") { database in
        try SQLiteQueries.deleteTasks(finishedBefore: time, limit: Self.deletionStep, database)
      }
      total += deleted
      if deleted < Self.deletionStep { return total }
    }
  }

  // MARK: Signed digests

  package func record(_ digest: SignedDigestRecord, output: [UInt8]) async throws(StoreError) -> DigestOutcome {
    let seal = RecordSeals.output(output, of: digest.taskID)
    return try await writer.write("record the digest of task \(digest.taskID)", bytes: output.count) { database in
      try SQLiteQueries.record(digest, output: output, seal: seal, database)
    }
  }

  package func signedDigest(of id: TaskID) async throws(StoreError) -> SignedDigestRecord? {
    try await read("read the digest of task \(id)") { try SQLiteQueries.signedDigest(of: id, $0) }
  }

  package func deleteDigests(recordedBefore time: UnixMilliseconds) async throws(StoreError) -> Int {
    var total = 0
    while true {
      // The search may cross the whole table, so it does not hold up the writer.
      let ids = try await read("look for old digests") { database in
        try SQLiteQueries.forgettableDigests(recordedBefore: time, limit: Self.deletionStep, database)
      }
      if ids.isEmpty { return total }
      let deleted = try await writer.write("delete old digests") { database in
        try SQLiteQueries.deleteDigests(ids, recordedBefore: time, database)
      }
      total += deleted
      if ids.count < Self.deletionStep || deleted == 0 { return total }
    }
  }

  // MARK: Performers

  package func save(_ performer: PerformerRecord) async throws(StoreError) {
    try await writer.write("save performer \(performer.id)") { try SQLiteQueries.save(performer, $0) }
  }

  package func deletePerformer(id: String) async throws(StoreError) {
    try await writer.write("delete performer \(id)") { try SQLiteQueries.deletePerformer(id: id, $0) }
  }

  package func performers() async throws(StoreError) -> [PerformerRecord] {
    try await read("read performers") { try SQLiteQueries.performers($0) }
  }

  // MARK: The installation

  package func installationID() async throws(StoreError) -> String {
    guard pool.withLock({ $0 != nil }) else { throw Self.closedError("read the installation id") }
    return installation
  }

  package func compact() async throws(StoreError) {
    let action = "compact the store"
    let outcome: Result<Void, StoreError>? = await withCheckedContinuation { continuation in
      let isOpen = pool.withLock { pool in
        pool?.asyncWriteWithoutTransaction { [checkpoints] in
          continuation.resume(returning: checkpoints.compact($0, action: action))
        } != nil
      }
      if !isOpen { continuation.resume(returning: nil) }
    }
    guard let outcome else { throw Self.closedError(action) }
    try outcome.get()
  }

  package func tryToWrite() async throws(StoreError) {
    try await writer.write("make a trial write") { try SQLiteQueries.writeTrial($0) }
    try await writer.write("remove a trial write") { try SQLiteQueries.removeTrial($0) }
  }

  package func check() async throws(StoreError) -> StoreFindings {
    guard pool.withLock({ $0 != nil }) else { throw Self.closedError("check the store") }
    return try await StoreVerification.run(path: file.path, depth: .quick)
  }

  package func close() async throws(StoreError) {
    await writer.close()
    let taken = pool.withLock { pool in
      defer { pool = nil }
      return pool
    }
    guard let taken else { return }
    // A barrier waits for the reads in flight.
    let outcome: Result<Void, StoreError> = await withCheckedContinuation { continuation in
      taken.asyncBarrierWriteWithoutTransaction { [checkpoints] database in
        continuation.resume(
          returning: database.mapError { StoreError($0, while: "close the store", otherwise: .writeFailed) }
            .flatMap { checkpoints.compact($0, action: "close the store") })
      }
    }
    defer { file.release() }
    do {
      try taken.close()
    } catch {
      throw StoreError(error, while: "close the store", otherwise: .writeFailed)
    }
    try outcome.get()
  }

  // MARK: Connections

  func read<Value: Sendable>(
    _ action: String, _ query: @escaping @Sendable (Database) throws -> Value
  ) async throws(StoreError) -> Value {
    let outcome: Result<Value, StoreError>? = await withCheckedContinuation { continuation in
      let isOpen = pool.withLock { pool in
        pool?.asyncRead { connection in
          let outcome = Result { try query(try connection.get()) }
          continuation.resume(returning: outcome.mapError { StoreError($0, while: action, otherwise: .readFailed) })
        } != nil
      }
      if !isOpen { continuation.resume(returning: nil) }
    }
    guard let outcome else { throw Self.closedError(action) }
    return try outcome.get()
  }

  private static func closedError(_ action: String) -> StoreError {
    StoreError(.closed, "could not \(action): the store is closed")
  }
}

extension TaskTransition {
  /// Bytes the step adds to the row.
  fileprivate var payloadBytes: Int {
    switch self {
    case .signed(let result, _): result.count
    case .executing, .requeued, .failed: 0
    }
  }
}
