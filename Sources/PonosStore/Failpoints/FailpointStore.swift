import PonosCore
import PonosSystem

/// A store whose calls pass the failpoints before and after them. Put in front of the real one only where failpoints are armed.
package struct FailpointStore: ExecutorStore {
  private let base: any ExecutorStore
  private let failpoints: Failpoints

  package init(_ base: any ExecutorStore, _ failpoints: Failpoints) {
    self.base = base
    self.failpoints = failpoints
  }

  // MARK: Tasks

  package func accept(_ task: AcceptedTaskRecord) async throws(StoreError) -> AcceptOutcome {
    let outcome = try await base.accept(task)
    if outcome.isAccepted { failpoints.pass(.journalAccepted) }
    return outcome
  }

  package func record(_ transition: TaskTransition, for id: TaskID) async throws(StoreError) {
    switch transition {
    case .requeued: failpoints.pass(.journalRequeue)
    case .failed: failpoints.pass(.journalFail)
    case .executing, .signed: break
    }
    try await base.record(transition, for: id)
    switch transition {
    case .executing: failpoints.pass(.journalExecuting)
    case .requeued: failpoints.pass(.journalRequeued)
    case .signed: failpoints.pass(.journalSigned)
    case .failed: failpoints.pass(.journalFailed)
    }
  }

  package func recordSoon(
    _ transition: TaskTransition, for id: TaskID, onFailure: @escaping @Sendable (StoreError) -> Void
  ) {
    base.recordSoon(transition, for: id, onFailure: onFailure)
    if case .executing = transition { failpoints.pass(.journalExecuting) }
  }

  package func task(_ id: TaskID) async throws(StoreError) -> TaskRecord? { try await base.task(id) }

  package func unfinishedPages(of size: Int) async throws(StoreError) -> [ClosedRange<Int64>] {
    let pages = try await base.unfinishedPages(of: size)
    failpoints.pass(.startRead)
    return pages
  }

  package func unfinishedTasks(in range: ClosedRange<Int64>) async throws(StoreError) -> UnfinishedTasks {
    try await base.unfinishedTasks(in: range)
  }

  package func replaceResult(of id: TaskID, by result: [UInt8]) async throws(StoreError) {
    try await base.replaceResult(of: id, by: result)
  }

  package func recentTasks(limit: Int) async throws(StoreError) -> [TaskSummary] { try await base.recentTasks(limit: limit) }

  package func deleteTasks(finishedBefore time: UnixMilliseconds) async throws(StoreError) -> Int {
    failpoints.pass(.choresExpiring)
    let count = try await base.deleteTasks(finishedBefore: time)
    failpoints.pass(.choresExpired)
    return count
  }

  // MARK: Signed digests

  package func record(_ digest: SignedDigestRecord, output: [UInt8]) async throws(StoreError) -> DigestOutcome {
    let outcome = try await base.record(digest, output: output)
    failpoints.pass(.journalCollected)
    return outcome
  }

  package func signedDigest(of id: TaskID) async throws(StoreError) -> SignedDigestRecord? { try await base.signedDigest(of: id) }

  package func deleteDigests(recordedBefore time: UnixMilliseconds) async throws(StoreError) -> Int {
    try await base.deleteDigests(recordedBefore: time)
  }

  // MARK: Outcomes that wait for aggregators

  package func expectDeliveries(
    of ids: [TaskID], to owner: TaskOwner
  ) async throws(StoreError) -> [TaskID: TaskStanding] {
    let standings = try await base.expectDeliveries(of: ids, to: owner)
    failpoints.pass(.streamExpected)
    return standings
  }

  package func deliveries(
    for owner: TaskOwner, excluding excluded: Set<TaskID>, limit: Int, bytes: Int
  ) async throws(StoreError) -> DeliveryPage {
    try await base.deliveries(for: owner, excluding: excluded, limit: limit, bytes: bytes)
  }

  package func acknowledge(_ ids: [TaskID], by owner: TaskOwner) async throws(StoreError) {
    try await base.acknowledge(ids, by: owner)
    failpoints.pass(.streamAcknowledged)
  }

  // MARK: Performers

  package func save(_ performer: PerformerRecord) async throws(StoreError) {
    let (before, after) = Self.points(of: performer)
    failpoints.pass(before)
    try await base.save(performer)
    failpoints.pass(after)
  }

  private static func points(of performer: PerformerRecord) -> (before: Failpoint, after: Failpoint) {
    switch (performer.role, performer.containerID) {
    case (.staged, nil): (.performersStaging, .performersStaged)
    case (.staged, _): (.performersCreated, .performersRecorded)
    case (.inService, _): (.performersPromoting, .performersPromoted)
    }
  }

  package func deletePerformer(id: String) async throws(StoreError) {
    failpoints.pass(.performersForgetting)
    try await base.deletePerformer(id: id)
    failpoints.pass(.performersForgotten)
  }

  package func performers() async throws(StoreError) -> [PerformerRecord] {
    let performers = try await base.performers()
    failpoints.pass(.performersRead)
    return performers
  }

  // MARK: The installation

  package func installationID() async throws(StoreError) -> String { try await base.installationID() }

  package func compact() async throws(StoreError) {
    try await base.compact()
    failpoints.pass(.choresCompacted)
  }

  package func tryToWrite() async throws(StoreError) { try await base.tryToWrite() }

  package func check() async throws(StoreError) -> StoreFindings { try await base.check() }

  package func close() async throws(StoreError) { try await base.close() }
}
