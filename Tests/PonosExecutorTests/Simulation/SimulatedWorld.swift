import PonosContainers
import PonosContainersTesting
import PonosCore
@testable import PonosExecutor
import PonosStore
import Synchronization

/// Something that happened while a job ran; the test looks at it before the next one does.
enum Observation: Sendable {
  /// A write has reached the disk. What it was of, and what the store said.
  case accepted(TaskID, contentHash: Digest32, owner: TaskOwner? = nil, isStreamed: Bool = false)
  case moved(TaskID, TaskTransition)
  case digest(SignedDigestRecord, output: [UInt8], DigestOutcome)
  case finished(SignedTaskRecord, DigestOutcome)
  case expected([TaskID: TaskStanding], TaskOwner)
  case acknowledged([TaskID], TaskOwner)
  /// A performer was given a task.
  case given(TaskID, avs: EthereumAddress)
  /// A submission has its outcome; nil for a caller that went away.
  case outcome(call: Int, TaskOutcome?)
  /// A submission of a stream has its receipt, or none.
  case receipt(call: Int, Result<TaskStanding, Rejection>)
  /// A cancellation has its answer.
  case cancelled(call: Int, CancellationResult)

  /// Whether it is on the disk, and so outlives the process.
  var isDurable: Bool {
    switch self {
    case .accepted, .moved, .digest, .finished, .expected, .acknowledged: true
    case .given, .outcome, .receipt, .cancelled: false
    }
  }
}

/// What one process of the executor has round it, all of it decided by the test: disk, performers, time. Ends with the process; what
/// is on the disk stays.
final class SimulatedWorld: Sendable {
  /// What becomes of a write.
  enum Fate: Sendable {
    case reachesDisk, fails
    /// The process ends before anybody knows.
    case neverKnown
  }

  /// A run at a performer.
  struct Run: Sendable {
    let id: TaskID
    let avs: EthereumAddress
  }

  /// The two waits of a write: for its commit, and for the news of it.
  enum DiskWait: Sendable {
    case write, news
  }

  let disk = WaitingRoom<DiskWait, Fate>()
  let performers = WaitingRoom<Run, Result<PerformerReply, PerformerCallError>>()
  /// Keys are the times to wake up at, in unix milliseconds; the verdict says whether the sleeper is still wanted.
  let sleepers = WaitingRoom<Int64, Bool>()
  private let seen = Mutex<[Observation]>([])
  /// Writes that nobody waits for; they share the commit of the next one.
  private let posted = Mutex<[Posted]>([])

  private struct Posted {
    /// Makes the write.
    let apply: @Sendable () -> Void
    let fail: @Sendable (StoreError) -> Void
  }

  func post(apply: @escaping @Sendable () -> Void, fail: @escaping @Sendable (StoreError) -> Void) {
    posted.withLock { $0.append(Posted(apply: apply, fail: fail)) }
  }

  private func takePosted() -> [Posted] {
    posted.withLock { posted in
      defer { posted = [] }
      return posted
    }
  }

  func observe(_ observation: Observation) {
    seen.withLock { $0.append(observation) }
  }

  func takeObservations() -> [Observation] {
    seen.withLock { seen in
      defer { seen = [] }
      return seen
    }
  }

  /// The process is gone: nobody in it learns or writes anything any more.
  func end() {
    disk.close(with: .neverKnown)
    performers.close(with: .failure(.unreachable("the process has ended")))
    sleepers.close(with: false)
  }

  func reachDisk() async throws(StoreError) {
    switch await disk.wait(.write) {
    case .reachesDisk:
      for write in takePosted() { write.apply() }
    case .fails:
      let error = StoreError(.diskFull, "the simulated disk is full")
      for write in takePosted() { write.fail(error) }
      throw error
    case .neverKnown: throw Self.gone
    }
  }

  func learn() async throws(StoreError) {
    if case .neverKnown = await disk.wait(.news) { throw Self.gone }
  }

  private static let gone = StoreError(.closed, "the process has ended")
}

/// A memory store that is the disk of one process after another.
struct SimulatedStore: ExecutorStore {
  let base: MemoryStore
  let world: SimulatedWorld

  func accept(_ task: AcceptedTaskRecord) async throws(StoreError) -> AcceptOutcome {
    try await world.reachDisk()
    let outcome = try await base.accept(task)
    if outcome.isAccepted {
      world.observe(
        .accepted(task.id, contentHash: task.contentHash, owner: task.owner, isStreamed: task.isStreamed))
    }
    try await world.learn()
    return outcome
  }

  func record(_ transition: TaskTransition, for id: TaskID) async throws(StoreError) {
    try await world.reachDisk()
    try await base.record(transition, for: id)
    world.observe(.moved(id, transition))
    try await world.learn()
  }

  func recordSoon(_ transition: TaskTransition, for id: TaskID, onFailure: @escaping @Sendable (StoreError) -> Void) {
    world.post(
      apply: { [base, world] in
        let outcome = Mutex<StoreError?>(nil)
        base.recordSoon(transition, for: id) { error in outcome.withLock { $0 = error } }
        if let error = outcome.withLock(\.self) { onFailure(error) } else { world.observe(.moved(id, transition)) }
      }, fail: onFailure)
  }

  func record(_ digest: SignedDigestRecord, output: [UInt8]) async throws(StoreError) -> DigestOutcome {
    try await world.reachDisk()
    let outcome = try await base.record(digest, output: output)
    world.observe(.digest(digest, output: output, outcome))
    try await world.learn()
    return outcome
  }

  func finish(_ task: SignedTaskRecord) async throws(StoreError) -> DigestOutcome {
    try await world.reachDisk()
    let outcome = try await base.finish(task)
    world.observe(.finished(task, outcome))
    try await world.learn()
    return outcome
  }

  func task(_ id: TaskID) async throws(StoreError) -> TaskRecord? { try await base.task(id) }
  func unfinishedPages(of size: Int) async throws(StoreError) -> [ClosedRange<Int64>] {
    try await base.unfinishedPages(of: size)
  }
  func unfinishedTasks(in range: ClosedRange<Int64>) async throws(StoreError) -> UnfinishedTasks {
    try await base.unfinishedTasks(in: range)
  }
  func replaceResult(of id: TaskID, by result: [UInt8]) async throws(StoreError) {
    try await base.replaceResult(of: id, by: result)
  }
  func signedDigest(of id: TaskID) async throws(StoreError) -> SignedDigestRecord? { try await base.signedDigest(of: id) }
  func deleteDigests(recordedBefore time: UnixMilliseconds) async throws(StoreError) -> Int {
    try await base.deleteDigests(recordedBefore: time)
  }
  func recentTasks(limit: Int) async throws(StoreError) -> [TaskSummary] { try await base.recentTasks(limit: limit) }
  func deleteTasks(finishedBefore time: UnixMilliseconds) async throws(StoreError) -> Int {
    try await base.deleteTasks(finishedBefore: time)
  }
  func save(_ performer: PerformerRecord) async throws(StoreError) { try await base.save(performer) }
  func deletePerformer(id: String) async throws(StoreError) { try await base.deletePerformer(id: id) }
  func performers() async throws(StoreError) -> [PerformerRecord] { try await base.performers() }
  func installationID() async throws(StoreError) -> String { try await base.installationID() }
  func expectDeliveries(of ids: [TaskID], to owner: TaskOwner) async throws(StoreError) -> [TaskID: TaskStanding] {
    try await world.reachDisk()
    let standings = try await base.expectDeliveries(of: ids, to: owner)
    world.observe(.expected(standings, owner))
    try await world.learn()
    return standings
  }
  func deliveries(
    for owner: TaskOwner, excluding excluded: Set<TaskID>, limit: Int, bytes: Int
  ) async throws(StoreError) -> DeliveryPage {
    try await base.deliveries(for: owner, excluding: excluded, limit: limit, bytes: bytes)
  }
  func acknowledge(_ ids: [TaskID], by owner: TaskOwner) async throws(StoreError) {
    try await world.reachDisk()
    try await base.acknowledge(ids, by: owner)
    world.observe(.acknowledged(ids, owner))
    try await world.learn()
  }
  func compact() async throws(StoreError) { try await base.compact() }
  func tryToWrite() async throws(StoreError) { try await base.tryToWrite() }
  func check() async throws(StoreError) -> StoreFindings { try await base.check() }
  func close() async throws(StoreError) {}
}

/// A performer whose every answer is decided by the test.
struct SimulatedPerformer: PerformerConnection {
  let avs: EthereumAddress
  let world: SimulatedWorld

  func execute(_ id: TaskID, payload: [UInt8], timeout: Duration) async throws(PerformerCallError) -> PerformerReply {
    world.observe(.given(id, avs: avs))
    return try await world.performers.wait(.init(id: id, avs: avs)).get()
  }

  var probe: any Probe { FakeProbe.serving }
  func close() async {}
}
