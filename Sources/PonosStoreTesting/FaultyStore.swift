import PonosCore
import PonosStore
import PonosTesting
import Synchronization

/// A memory store whose writes fail while a test wants them to.
package final class FaultyStore: ExecutorStore {
  /// A kind of write.
  package enum Write: Hashable, CaseIterable {
    case accept, executing, requeued, signed, failed, digest
    /// A performer that is to be in service from now on.
    case inService
    /// Of an outcome that waits, and of one that waits no longer.
    case delivery, acknowledgement
  }

  private let base = MemoryStore()
  private let failing = Mutex<(writes: Set<Write>, code: StoreError.Code)>(([], .diskFull))
  private let refused = Mutex<[Write: Int]>([:])
  private let damagesOutputs = Mutex(false)
  private let acceptGate = Mutex<TaskGate?>(nil)
  private let deliveryGate = Mutex<TaskGate?>(nil)

  package init() {}

  /// From now on these writes fail, and no others.
  package func fail(_ writes: Set<Write>, with code: StoreError.Code = .diskFull) {
    failing.withLock { $0 = (writes, code) }
  }

  /// From now on a bit of every stored output is another one when it is read.
  package func damageOutputs() {
    damagesOutputs.withLock { $0 = true }
  }

  /// From now on tasks are written down only once `gate` lets them through.
  package func holdAccepts(behind gate: TaskGate) {
    acceptGate.withLock { $0 = gate }
  }

  /// From now on outcomes are made to wait only once `gate` lets that through.
  package func holdDeliveries(behind gate: TaskGate) {
    deliveryGate.withLock { $0 = gate }
  }

  /// How many writes of a kind were made to fail so far.
  package func failures(of write: Write) -> Int {
    refused.withLock { $0[write] ?? 0 }
  }

  private func check(_ write: Write) throws(StoreError) {
    guard let code = failing.withLock({ $0.writes.contains(write) ? $0.code : nil }) else { return }
    refused.withLock { $0[write, default: 0] += 1 }
    throw StoreError(code, "the test's disk fails")
  }

  package func accept(_ task: AcceptedTaskRecord) async throws(StoreError) -> AcceptOutcome {
    await acceptGate.withLock(\.self)?.pass()
    try check(.accept)
    return try await base.accept(task)
  }

  package func record(_ transition: TaskTransition, for id: TaskID) async throws(StoreError) {
    try check(Self.write(of: transition))
    try await base.record(transition, for: id)
  }

  package func recordSoon(_ transition: TaskTransition, for id: TaskID, onFailure: @escaping @Sendable (StoreError) -> Void) {
    do throws(StoreError) { try check(Self.write(of: transition)) } catch { return onFailure(error) }
    base.recordSoon(transition, for: id, onFailure: onFailure)
  }

  private static func write(of transition: TaskTransition) -> Write {
    switch transition {
    case .executing: .executing
    case .requeued: .requeued
    case .signed: .signed
    case .failed: .failed
    }
  }

  package func record(_ digest: SignedDigestRecord, output: [UInt8]) async throws(StoreError) -> DigestOutcome {
    try check(.digest)
    return try await base.record(digest, output: output)
  }

  package func task(_ id: TaskID) async throws(StoreError) -> TaskRecord? { try await base.task(id) }
  package func unfinishedPages(of size: Int) async throws(StoreError) -> [ClosedRange<Int64>] {
    try await base.unfinishedPages(of: size)
  }
  package func unfinishedTasks(in range: ClosedRange<Int64>) async throws(StoreError) -> UnfinishedTasks {
    var rows = try await base.unfinishedTasks(in: range)
    guard damagesOutputs.withLock(\.self) else { return rows }
    for index in rows.tasks.indices where rows.tasks[index].output?.isEmpty == false { rows.tasks[index].output?[0] ^= 1 }
    return rows
  }
  package func replaceResult(of id: TaskID, by result: [UInt8]) async throws(StoreError) {
    try await base.replaceResult(of: id, by: result)
  }
  package func signedDigest(of id: TaskID) async throws(StoreError) -> SignedDigestRecord? { try await base.signedDigest(of: id) }
  package func deleteDigests(recordedBefore time: UnixMilliseconds) async throws(StoreError) -> Int {
    try await base.deleteDigests(recordedBefore: time)
  }
  package func recentTasks(limit: Int) async throws(StoreError) -> [TaskSummary] { try await base.recentTasks(limit: limit) }
  package func deleteTasks(finishedBefore time: UnixMilliseconds) async throws(StoreError) -> Int {
    try await base.deleteTasks(finishedBefore: time)
  }
  package func save(_ performer: PerformerRecord) async throws(StoreError) {
    if performer.role == .inService { try check(.inService) }
    try await base.save(performer)
  }
  package func deletePerformer(id: String) async throws(StoreError) { try await base.deletePerformer(id: id) }
  package func performers() async throws(StoreError) -> [PerformerRecord] { try await base.performers() }
  package func installationID() async throws(StoreError) -> String { try await base.installationID() }
  package func expectDeliveries(
    of ids: [TaskID], to owner: TaskOwner
  ) async throws(StoreError) -> [TaskID: TaskStanding] {
    await deliveryGate.withLock(\.self)?.pass()
    try check(.delivery)
    return try await base.expectDeliveries(of: ids, to: owner)
  }
  package func deliveries(
    for owner: TaskOwner, excluding excluded: Set<TaskID>, limit: Int, bytes: Int
  ) async throws(StoreError) -> DeliveryPage {
    try await base.deliveries(for: owner, excluding: excluded, limit: limit, bytes: bytes)
  }
  package func acknowledge(_ ids: [TaskID], by owner: TaskOwner) async throws(StoreError) {
    try check(.acknowledgement)
    try await base.acknowledge(ids, by: owner)
  }
  package func compact() async throws(StoreError) { try await base.compact() }
  package func tryToWrite() async throws(StoreError) {
    try check(.accept)
    try await base.tryToWrite()
  }
  package func check() async throws(StoreError) -> StoreFindings { try await base.check() }
  package func close() async throws(StoreError) { try await base.close() }
}
