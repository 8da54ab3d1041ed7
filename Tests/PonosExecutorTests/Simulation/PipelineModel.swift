import PonosAPI
import PonosCore
@testable import PonosExecutor
import PonosStore
import SwiftProtobuf

/// What may and must happen to tasks, written down as plainly as possible: a table of what is on the disk, and what each event does
/// to it. Returns in words what an event breaks.
struct PipelineModel {
  private enum End: Equatable {
    case signed([UInt8])
    case failed(StoredFailure)
  }

  private struct Row {
    let contentHash: Digest32
    let owner: TaskOwner?
    /// Whether its outcome is to be sent until it is acknowledged.
    var isExpected: Bool
    var acknowledgements = 0
    var phase = TaskPhase.queued
    var digest: Digest32?
    var collected: [UInt8]?
    var end: End?
    /// Runs at performers so far, and those that brought no answer.
    var runs = 0
    var lostRuns = 0
    /// Whether a performer has it, or gave an answer of which nothing is on the disk yet.
    var isInHand = false
  }

  /// Submissions in hand, by the number of the call.
  private struct Call {
    let id: TaskID
    let contentHash: Digest32
    /// Whether the task was on the disk, with this content, when the call was made.
    let isRetry: Bool
    var hasDeadline = false
    /// Of the task before the call.
    let acknowledgements: Int
  }

  /// Cancellations in hand, by the number of the call.
  private struct Cancellation {
    let id: TaskID
    let owner: TaskOwner
    let isKnown: Bool
  }

  private var rows: [TaskID: Row] = [:]
  /// Outputs that performers gave, by task.
  private var outputs: [TaskID: Set<[UInt8]>] = [:]
  private var calls: [Int: Call] = [:]
  private var cancellations: [Int: Cancellation] = [:]

  /// How often things happened, so that a history in which nothing happens proves nothing.
  private(set) var signed = 0
  private(set) var failed = 0
  private(set) var replayed = 0
  private(set) var conflicts = 0
  private(set) var refusals = 0
  private(set) var runsAfterCrash = 0
  private(set) var receipts = 0
  private(set) var acknowledged = 0
  private(set) var cancelled = 0

  /// Submissions that have no outcome yet.
  var callsInHand: Int { calls.count }
  var unfinished: [TaskID] { rows.filter { $0.value.end == nil }.map(\.key) }
  /// In an order of its own, the same each time.
  var accepted: [(id: TaskID, contentHash: Digest32)] {
    rows.map { ($0.key, $0.value.contentHash) }.sorted { $0.id.bytes.lexicographicallyPrecedes($1.id.bytes) }
  }

  // MARK: What the test does

  mutating func called(_ number: Int, _ id: TaskID, contentHash: Digest32, hasDeadline: Bool = false) {
    calls[number] = Call(
      id: id, contentHash: contentHash, isRetry: rows[id]?.contentHash == contentHash, hasDeadline: hasDeadline,
      acknowledgements: rows[id]?.acknowledgements ?? 0)
  }

  mutating func cancels(_ number: Int, _ id: TaskID, owner: TaskOwner) {
    cancellations[number] = Cancellation(id: id, owner: owner, isKnown: rows[id]?.owner == owner)
  }

  /// Finished tasks whose outcomes wait for a owner.
  func waiting(for owner: TaskOwner) -> Set<TaskID> {
    Set(rows.filter { $0.value.owner == owner && $0.value.isExpected && $0.value.end != nil }.keys)
  }

  mutating func answered(_ id: TaskID, output: [UInt8]) {
    outputs[id, default: []].insert(output)
  }

  mutating func lostRun(of id: TaskID) {
    guard rows[id]?.isInHand == true else { return }
    rows[id]?.lostRuns += 1
    rows[id]?.isInHand = false
  }

  /// The process ended: runs and callers are gone, rows stay.
  mutating func crashed() {
    calls = [:]
    cancellations = [:]
    for id in rows.keys { lostRun(of: id) }
  }

  // MARK: What the executor does

  mutating func read(_ observation: Observation) -> String? {
    switch observation {
    case .accepted(let id, let contentHash, let owner, let isStreamed): accept(id, contentHash, owner, isStreamed)
    case .moved(let id, let transition): move(id, transition)
    case .digest(let record, let output, let outcome): collect(record, output, outcome)
    case .given(let id, _): give(id)
    case .outcome(let call, let outcome): end(call, outcome)
    case .expected(let standings, let owner): expect(standings, owner)
    case .acknowledged(let ids, let owner): acknowledge(ids, owner)
    case .receipt(let call, let receipt): end(call, receipt)
    case .cancelled(let call, let result): end(call, result)
    }
  }

  private mutating func accept(
    _ id: TaskID, _ contentHash: Digest32, _ owner: TaskOwner?, _ isStreamed: Bool
  ) -> String? {
    guard rows[id] == nil else { return "\(id) was accepted twice" }
    rows[id] = Row(contentHash: contentHash, owner: owner, isExpected: isStreamed)
    return nil
  }

  // MARK: Streams

  private mutating func expect(_ standings: [TaskID: TaskStanding], _ owner: TaskOwner) -> String? {
    for (id, standing) in standings {
      guard let row = rows[id], row.owner == owner else {
        if standing == .unknown { continue }
        return "\(id) is \(standing) to somebody whose task it is not"
      }
      let known: TaskStanding = row.end == nil ? .unfinished : .finished
      guard standing == known else { return "\(id) is said to be \(standing), and is \(known)" }
      rows[id]?.isExpected = true
    }
    return nil
  }

  private mutating func acknowledge(_ ids: [TaskID], _ owner: TaskOwner) -> String? {
    for id in ids {
      guard let row = rows[id], row.owner == owner, row.end != nil, row.isExpected else { continue }
      rows[id]?.isExpected = false
      rows[id]?.acknowledgements += 1
      acknowledged += 1
    }
    return nil
  }

  private mutating func end(_ number: Int, _ receipt: Result<TaskStanding, Rejection>) -> String? {
    guard let call = calls.removeValue(forKey: number) else { return "call \(number) ended twice" }
    switch receipt {
    case .failure(let rejection): return refuse(call, rejection)
    case .success(let standing):
      receipts += 1
      guard let row = rows[call.id], row.contentHash == call.contentHash else {
        return
          "a receipt (\(standing)) for \(call.id), of which the disk has \(rows[call.id].map { "other content, \($0.phase)" } ?? "nothing")"
      }
      if standing == .unknown || (standing == .finished && row.end == nil) {
        return "a receipt says that \(call.id) is \(standing)"
      }
      let isKept = row.isExpected || row.acknowledgements > call.acknowledgements
      return isKept ? nil : "a receipt for \(call.id), whose outcome does not wait"
    }
  }

  private mutating func end(_ number: Int, _ result: CancellationResult) -> String? {
    guard let call = cancellations.removeValue(forKey: number) else { return "cancellation \(number) ended twice" }
    switch result {
    case .cancelled:
      cancelled += 1
      guard let row = rows[call.id], row.owner == call.owner, case .failed(let failure) = row.end,
        failure.code == "task_cancelled"
      else { return "\(call.id) was said to be cancelled" }
      return nil
    case .tooLate: return nil
    case .unknown: return call.isKnown ? "\(call.id) was said to be unknown" : nil
    }
  }

  // MARK: Runs

  private mutating func move(_ id: TaskID, _ transition: TaskTransition) -> String? {
    guard let row = rows[id] else { return "\(id) moved without being accepted" }
    guard row.end == nil else { return "\(id) moved after its end" }
    switch transition {
    case .executing, .requeued:
      guard row.digest == nil else { return "\(id) is to run again after its digest was recorded" }
      if case .executing = transition { rows[id]?.phase = .executing } else { rows[id]?.phase = .queued }
    case .signed(let result, _):
      guard row.phase == .collected else { return "\(id) was signed in phase \(row.phase)" }
      rows[id]?.phase = .signed
      rows[id]?.end = .signed(result)
      signed += 1
    case .failed(let failure, _):
      guard row.digest == nil else { return "\(id) failed (\(failure.code)) after its digest was recorded" }
      rows[id]?.phase = .failed
      rows[id]?.isInHand = false
      rows[id]?.end = .failed(failure)
      failed += 1
    }
    return nil
  }

  private mutating func collect(_ record: SignedDigestRecord, _ output: [UInt8], _ outcome: DigestOutcome) -> String? {
    let id = record.taskID
    guard let row = rows[id] else { return "a digest of \(id), which was never accepted" }
    guard outputs[id]?.contains(output) == true else { return "\(id) has an output that no performer gave" }
    switch (row.digest, outcome) {
    case (nil, .recorded):
      guard row.isInHand else { return "the digest of \(id) was recorded without a run, in phase \(row.phase)" }
      rows[id]?.isInHand = false
      rows[id]?.digest = record.digest
      rows[id]?.collected = output
      rows[id]?.phase = .collected
      return nil
    case (let known?, .sameAsRecorded) where known == record.digest:
      return output == row.collected ? nil : "\(id) has another output for the same digest"
    case (let known, let outcome):
      return "recording \(record.digest) for \(id), of which \(String(describing: known)) is known, gave \(outcome)"
    }
  }

  private mutating func give(_ id: TaskID) -> String? {
    guard let row = rows[id] else { return "\(id) was run without being accepted" }
    // That it runs may not be on the disk yet.
    guard row.phase == .executing || row.phase == .queued else { return "\(id) was run in phase \(row.phase)" }
    guard row.runs <= row.lostRuns else { return "\(id) was run \(row.runs + 1) times, with \(row.lostRuns) runs lost" }
    if row.runs > 0 { runsAfterCrash += 1 }
    rows[id]?.runs += 1
    rows[id]?.isInHand = true
    return nil
  }

  private mutating func end(_ number: Int, _ outcome: TaskOutcome?) -> String? {
    guard let call = calls.removeValue(forKey: number) else { return "call \(number) ended twice" }
    let row = rows[call.id]
    switch outcome {
    case nil, .interrupted: return nil
    case .signed(let result):
      guard let row, row.contentHash == call.contentHash else { return "\(call.id) was answered for other content" }
      if call.isRetry { replayed += 1 }
      let bytes: [UInt8]? = try? result.wire.serializedBytes()
      guard row.end == .signed(bytes ?? []) else { return "the answer to \(call.id) is not the one on the disk" }
      return Array(result.wire.output) == row.collected ? nil : "the answer to \(call.id) has another output than its digest"
    case .failed(let failure):
      guard let row, row.contentHash == call.contentHash else { return "\(call.id) failed for other content" }
      return row.end == .failed(failure) ? nil : "the failure of \(call.id) is not the one on the disk"
    case .refused(let rejection): return refuse(call, rejection)
    }
  }

  private mutating func refuse(_ call: Call, _ rejection: Rejection) -> String? {
    refusals += 1
    switch rejection {
    case .conflictingTask:
      conflicts += 1
      return call.isRetry ? "a retry of \(call.id) was refused as a conflict" : nil
    case .notAccepting, .storeUnavailable, .outcomeNotWritten, .tooManyCallers: return nil
    case .deadlinePassed where call.hasDeadline: return call.isRetry ? "a retry of \(call.id) was refused as late" : nil
    case .queueFull, .noPerformer: return call.isRetry ? "a retry of \(call.id) was refused: \(rejection.code)" : nil
    default: return "\(call.id) was refused: \(rejection.code)"
    }
  }

  /// An unfinished task that nobody in the process works on; there is none, once recovery is done.
  func orphan(isInFlight: (TaskID) -> Bool) -> String? {
    let orphan = rows.first { $0.value.end == nil && !isInFlight($0.key) }?.key
    return orphan.map { "\($0) is unfinished on the disk, and nobody works on it" }
  }

  // MARK: The end

  /// What is left when everything has come to rest.
  var leftOver: String? {
    if let id = unfinished.first { return "\(id) is in phase \(rows[id]?.phase.rawValue ?? "") for ever" }
    return calls.isEmpty ? nil : "\(calls.count) callers wait for ever"
  }

  /// How the row of a task must read.
  func difference(from record: TaskRecord?, of id: TaskID) -> String? {
    guard let row = rows[id] else { return record == nil ? nil : "\(id) is on the disk and was never accepted" }
    guard let record else { return "\(id) is not on the disk any more" }
    guard record.phase == row.phase else { return "\(id) is \(record.phase) on the disk, and should be \(row.phase)" }
    switch row.end {
    case .signed(let bytes): return record.result == bytes ? nil : "the result of \(id) has changed on the disk"
    case .failed(let failure): return record.failure == failure ? nil : "the failure of \(id) has changed on the disk"
    case nil: return nil
    }
  }
}
