import DequeModule
import Foundation
import PonosCore
import Synchronization

/// A store that forgets everything with the process: for trying things out, and the plainest statement of what a store does.
package final class MemoryStore: TaskStore, DigestStore, PerformerStore, StoreUpkeep {
  /// Finished tasks that are kept; beyond that the oldest go first. Their digests stay.
  private static let maxFinished = 10_000

  struct State {
    /// Finished tasks in the order of their end, those already deleted included.
    var finished: Deque<TaskID> = []
    var tasks: [TaskID: TaskRecord] = [:]
    var nextSequence: Int64 = 1
    var digests: [TaskID: SignedDigestRecord] = [:]
    /// Tasks whose outcome waits for its aggregator, or will.
    var deliveries: Set<TaskID> = []
    /// In the order of their first save.
    var performers: [PerformerRecord] = []
    var isClosed = false
    /// Held until the store is closed; nil where nobody else can have the id.
    var claim: InstallationClaim?

    mutating func forget(_ id: TaskID) {
      tasks[id] = nil
      deliveries.remove(id)
    }
  }

  private let state: Mutex<State>
  private let installation: String

  /// A store of an installation of its own, which ends with it.
  package convenience init() {
    self.init(installationID: UUID().uuidString.lowercased(), claim: nil)
  }

  init(installationID: String, claim: InstallationClaim?) {
    installation = installationID
    state = Mutex(State(claim: claim))
  }

  // MARK: Tasks

  package func accept(_ task: AcceptedTaskRecord) async throws(StoreError) -> AcceptOutcome {
    try use { state throws(StoreError) in
      if let known = state.tasks[task.id] { return .known(known) }
      let sequence = state.nextSequence
      var accepted = task
      accepted.isStreamed = false
      state.tasks[task.id] = TaskRecord(accepted: accepted, sequence: sequence)
      state.nextSequence += 1
      if task.isStreamed { state.deliveries.insert(task.id) }
      return .accepted(sequence: sequence)
    }
  }

  package func record(_ transition: TaskTransition, for id: TaskID) async throws(StoreError) {
    try move(id, transition)
  }

  package func recordSoon(
    _ transition: TaskTransition, for id: TaskID, onFailure: @escaping @Sendable (StoreError) -> Void
  ) {
    do throws(StoreError) { try move(id, transition) } catch { onFailure(error) }
  }

  private func move(_ id: TaskID, _ transition: TaskTransition) throws(StoreError) {
    try use { state throws(StoreError) in
      guard var task = state.tasks[id] else {
        throw StoreError(.unknownTask, "task \(id) was never accepted, or is past its retention")
      }
      guard !task.phase.isFinished else {
        throw StoreError(.finishedTask, "task \(id) is \(task.phase.rawValue) and does not change any more")
      }
      task.apply(transition)
      state.tasks[id] = task
      guard task.phase.isFinished else { return }
      state.finished.append(id)
      if state.finished.count > Self.maxFinished { state.forget(state.finished.removeFirst()) }
    }
  }

  package func task(_ id: TaskID) async throws(StoreError) -> TaskRecord? {
    try use { state throws(StoreError) in state.tasks[id] }
  }

  package func unfinishedPages(of size: Int) async throws(StoreError) -> [ClosedRange<Int64>] {
    try use { state throws(StoreError) in
      let sequences = state.tasks.values.filter { !$0.phase.isFinished }.map(\.sequence).sorted()
      return stride(from: 0, to: sequences.count, by: size).map { start in
        sequences[start]...sequences[min(start + size, sequences.count) - 1]
      }
    }
  }

  package func unfinishedTasks(in range: ClosedRange<Int64>) async throws(StoreError) -> UnfinishedTasks {
    try use { state throws(StoreError) in
      let tasks = state.tasks.values.filter { !$0.phase.isFinished && range.contains($0.sequence) }
      return UnfinishedTasks(tasks: tasks.sorted { $0.sequence < $1.sequence })
    }
  }

  package func replaceResult(of id: TaskID, by result: [UInt8]) async throws(StoreError) {
    try use { state throws(StoreError) in
      guard state.tasks[id]?.phase == .signed else { throw StoreError(.unknownTask, "task \(id) is not signed") }
      state.tasks[id]?.result = result
    }
  }

  package func recentTasks(limit: Int) async throws(StoreError) -> [TaskSummary] {
    try use { state throws(StoreError) in
      state.tasks.values.sorted { $0.sequence > $1.sequence }.prefix(max(0, limit)).map { TaskSummary($0) }
    }
  }

  package func deleteTasks(finishedBefore time: UnixMilliseconds) async throws(StoreError) -> Int {
    try use { state throws(StoreError) in
      let before = state.tasks.count
      state.tasks = state.tasks.filter { _, task in task.finishedAt.map { $0 >= time } ?? true }
      let kept = Set(state.tasks.keys)
      state.finished.removeAll { !kept.contains($0) }
      state.deliveries.formIntersection(kept)
      return before - state.tasks.count
    }
  }

  // MARK: Signed digests

  package func record(_ digest: SignedDigestRecord, output: [UInt8]) async throws(StoreError) -> DigestOutcome {
    try use { state throws(StoreError) in
      let recorded = state.digests[digest.taskID]
      if let recorded, recorded.digest != digest.digest { return .conflict(recorded: recorded.digest) }
      if recorded == nil { state.digests[digest.taskID] = digest }
      if let task = state.tasks[digest.taskID], !task.phase.isFinished {
        state.tasks[digest.taskID]?.phase = .collected
        state.tasks[digest.taskID]?.output = output
      }
      return recorded == nil ? .recorded : .sameAsRecorded
    }
  }

  package func signedDigest(of id: TaskID) async throws(StoreError) -> SignedDigestRecord? {
    try use { state throws(StoreError) in state.digests[id] }
  }

  package func deleteDigests(recordedBefore time: UnixMilliseconds) async throws(StoreError) -> Int {
    try use { state throws(StoreError) in
      let before = state.digests.count
      state.digests = state.digests.filter { id, digest in digest.recordedAt >= time || state.tasks[id] != nil }
      return before - state.digests.count
    }
  }

  // MARK: Performers

  package func save(_ performer: PerformerRecord) async throws(StoreError) {
    try use { state throws(StoreError) in
      if let index = state.performers.firstIndex(where: { $0.id == performer.id }) {
        state.performers[index] = performer
      } else {
        state.performers.append(performer)
      }
    }
  }

  package func deletePerformer(id: String) async throws(StoreError) {
    try use { state throws(StoreError) in state.performers.removeAll { $0.id == id } }
  }

  package func performers() async throws(StoreError) -> [PerformerRecord] {
    try use { state throws(StoreError) in
      state.performers.enumerated().sorted { ($0.element.createdAt, $0.offset) < ($1.element.createdAt, $1.offset) }
        .map(\.element)
    }
  }

  // MARK: The installation

  package func installationID() async throws(StoreError) -> String {
    try use { state throws(StoreError) in installation }
  }

  package func compact() async throws(StoreError) {
    try use { state throws(StoreError) in }
  }

  package func tryToWrite() async throws(StoreError) {
    try use { state throws(StoreError) in }
  }

  package func check() async throws(StoreError) -> StoreFindings {
    try use { state throws(StoreError) in StoreFindings(records: state.tasks.count + state.digests.count) }
  }

  package func close() async throws(StoreError) {
    state.withLock { state in
      state.isClosed = true
      state.claim = nil
    }
  }

  func use<Value>(_ body: (inout State) throws(StoreError) -> Value) throws(StoreError) -> Value {
    try state.withLock { state throws(StoreError) in
      guard !state.isClosed else { throw StoreError(.closed, "the store is closed") }
      return try body(&state)
    }
  }
}

extension TaskRecord {
  fileprivate mutating func apply(_ transition: TaskTransition) {
    switch transition {
    case .executing(let performerID, let attempt):
      phase = .executing
      self.performerID = performerID
      self.attempt = attempt
    case .requeued:
      phase = .queued
    case .signed(let result, let time):
      phase = .signed
      self.result = result
      finish(at: time)
    case .failed(let failure, let time):
      phase = .failed
      self.failure = failure
      finish(at: time)
    }
  }

  private mutating func finish(at time: UnixMilliseconds) {
    finishedAt = time
    output = nil
    accepted.submission = []
  }
}
