import Foundation
import PonosCore
import PonosStoreTesting
import PonosTesting
import Testing
@testable import PonosStore

/// Database files that a disk has damaged in any way: no start and no read may end the process, no record is handed out that is not
/// what was written, and a check finds whatever hides one.
///
/// `PONOS_STORE_DAMAGES` sets how many damages are tried.
@Suite struct StoreDamageTests {
  private static let damages = ProcessInfo.processInfo.environment["PONOS_STORE_DAMAGES"].flatMap { Int($0) } ?? 500
  private static let tasks = 60

  private let directory: TemporaryDirectory
  private let path: String

  init() throws {
    directory = try TemporaryDirectory(inMemory: true)
    path = directory.file("store.sqlite")
  }

  /// What was written, to compare with.
  private struct Truth {
    var tasks: [TaskID: TaskRecord] = [:]
    var digests: [TaskID: SignedDigestRecord] = [:]
    var performers: [PerformerRecord] = []
    var installation = ""
  }

  @Test("of the database") func database() async throws {
    let store = try SQLiteStore.open(path: path)
    try await fill(store)
    let truth = try await truth(of: store)
    try await store.close()
    let intact = try Data(contentsOf: URL(fileURLWithPath: path))
    var outcomes = Outcomes()
    for seed in 0..<Self.damages {
      var random = SeededRandom(seed: UInt64(seed))
      var bytes = intact
      let damage = Damage.random(&random, in: &bytes)
      try put(bytes)
      try await examine(against: truth, "seed \(seed): \(damage)", &outcomes)
    }
    // The damages do reach something: else the test would prove nothing.
    #expect(outcomes.refusedStarts > 0 && outcomes.refusedReads > 0 && outcomes.undisturbed > 0, "\(outcomes)")
  }

  @Test("of the write-ahead log") func log() async throws {
    let store = try SQLiteStore.open(path: path)
    try await store.compact()
    var history: [Truth] = [try await truth(of: store)]
    try await fill(store) { history.append(try await truth(of: store)) }
    let intact = try Data(contentsOf: URL(fileURLWithPath: path + "-wal"))
    let database = try Data(contentsOf: URL(fileURLWithPath: path))
    try await store.close()
    for seed in 0..<Self.damages / 5 {
      var random = SeededRandom(seed: UInt64(seed))
      var bytes = intact
      let damage = Damage.random(&random, in: &bytes)
      try put(database)
      try bytes.write(to: URL(fileURLWithPath: path + "-wal"))
      // The log ends where it is damaged, as it does after a power cut: the store is as it was at some moment.
      let store = try SQLiteStore.open(path: path)
      let found = try await truth(of: store)
      #expect(
        history.contains { $0.tasks == found.tasks && $0.digests == found.digests && $0.performers == found.performers },
        "seed \(seed): \(damage)")
      #expect(try await store.check().faults == [])
      try await store.close()
    }
  }

  // MARK: One damaged database

  private struct Outcomes {
    var refusedStarts = 0
    var refusedReads = 0
    var hidden = 0
    var undisturbed = 0
  }

  private func examine(against truth: Truth, _ damage: String, _ outcomes: inout Outcomes) async throws {
    let isFound = try checkFinds()
    let store: SQLiteStore
    do throws(StoreError) { store = try SQLiteStore.open(path: path) } catch {
      outcomes.refusedStarts += 1
      return
    }
    var isDisturbed = false
    for (id, record) in truth.tasks {
      do throws(StoreError) {
        guard let found = try await store.task(id) else {
          isDisturbed = true
          outcomes.hidden += 1
          #expect(isFound, "\(damage): the check does not see that task \(id) is hidden")
          continue
        }
        if found.damage != nil { isDisturbed = true } else { Self.expect(found, equals: record, damage) }
      } catch {
        isDisturbed = true
      }
    }
    isDisturbed = await checkRecovery(store, truth, damage) || isDisturbed
    isDisturbed = await checkDigests(store, truth, damage, isFound: isFound) || isDisturbed
    isDisturbed = await checkDeliveries(store, truth, damage) || isDisturbed
    do throws(StoreError) {
      let performers = try await store.performers()
      if performers != truth.performers { #expect(isFound, "\(damage): wrong performers are served") }
      let installation = try await store.installationID()
      #expect(installation == truth.installation)
    } catch {
      isDisturbed = true
    }
    if isDisturbed { outcomes.refusedReads += 1 } else { outcomes.undisturbed += 1 }
    // Reads with damage in their way fail; so may the end.
    do throws(StoreError) { try await store.close() } catch {}
  }

  /// How far a task has come is not sealed; what it is and what came of it are.
  private static func expect(_ found: TaskRecord, equals record: TaskRecord, _ damage: String) {
    #expect(found.accepted.id == record.id)
    if found.phase == record.phase { #expect(found.accepted == record.accepted, "\(damage)") }
    if let result = found.result { #expect(result == record.result, "\(damage)") }
    if let output = found.output { #expect(output == record.output, "\(damage)") }
    if let failure = found.failure { #expect(failure == record.failure, "\(damage)") }
    #expect(found.phase.isFinished == record.phase.isFinished, "\(damage): \(found.phase)")
  }

  private func checkRecovery(_ store: SQLiteStore, _ truth: Truth, _ damage: String) async -> Bool {
    do throws(StoreError) {
      var isDisturbed = false
      for range in try await store.unfinishedPages(of: 16) {
        let page = try await store.unfinishedTasks(in: range)
        for task in page.tasks {
          guard let record = truth.tasks[task.id] else {
            Issue.record("\(damage): a task that never was is recovered")
            continue
          }
          if task.damage == nil { Self.expect(task, equals: record, damage) }
        }
        isDisturbed = isDisturbed || !page.damaged.isEmpty
      }
      return isDisturbed
    } catch {
      return true
    }
  }

  private func checkDigests(_ store: SQLiteStore, _ truth: Truth, _ damage: String, isFound: Bool) async -> Bool {
    var isDisturbed = false
    for (id, record) in truth.digests {
      do throws(StoreError) {
        let found = try await store.signedDigest(of: id)
        if found == nil { #expect(isFound, "\(damage): the check does not see that the digest of \(id) is hidden") }
        if let found { #expect(found == record, "\(damage)") }
        isDisturbed = isDisturbed || found == nil
      } catch {
        isDisturbed = true
      }
    }
    return isDisturbed
  }

  /// Outcomes that are handed out are those of their tasks, and asking for any task is answered or refused.
  private func checkDeliveries(_ store: SQLiteStore, _ truth: Truth, _ damage: String) async -> Bool {
    var isDisturbed = false
    for owner in Set(truth.tasks.values.map(\.accepted.owner)) {
      do throws(StoreError) {
        let page = try await store.deliveries(for: owner, excluding: [], limit: Self.tasks, bytes: .max)
        for task in page.tasks {
          guard let record = truth.tasks[task.id] else {
            Issue.record("\(damage): the outcome of a task that never was is handed out")
            continue
          }
          Self.expect(task, equals: record, damage)
        }
        _ = try await store.expectDeliveries(of: Array(truth.tasks.keys), to: owner)
        try await store.acknowledge(Array(truth.tasks.keys), by: owner)
      } catch {
        isDisturbed = true
      }
    }
    return isDisturbed
  }

  /// Whether `state verify` notices anything.
  private func checkFinds() throws -> Bool {
    do throws(StoreError) { return try !StoreVerification.run(path: path).isIntact } catch { return true }
  }

  // MARK: Contents

  /// Calls `step` after each write.
  private func fill(_ store: SQLiteStore, after step: () async throws -> Void = {}) async throws {
    for number in 1...Self.tasks {
      let id = StoreRecords.taskID(number)
      var task = StoreRecords.task(number, submission: [UInt8](repeating: UInt8(number), count: number * 97))
      task.isStreamed = number.isMultiple(of: 2)
      task.aggregator = StoreRecords.address(number % 2)
      _ = try await store.accept(task)
      try await step()
      guard number % 5 > 0 else { continue }
      try await store.record(.executing(performerID: "p-\(number)", attempt: 1), for: id)
      try await step()
      guard number % 5 > 1 else { continue }
      let output = [UInt8](repeating: 1, count: number)
      _ = try await store.record(StoreRecords.signedDigest(task: number, digest: number), output: output)
      try await step()
      guard number % 5 > 2 else { continue }
      let ending: TaskTransition =
        number % 5 == 3
        ? .signed(result: [UInt8](repeating: 2, count: number * 31), at: 7)
        : .failed(StoredFailure(code: "c", message: "m\(number)"), at: 8)
      try await store.record(ending, for: id)
      try await step()
    }
    for number in 1...3 {
      try await store.save(StoreRecords.performer(number, createdAt: Int64(number)))
      try await step()
    }
  }

  private func truth(of store: SQLiteStore) async throws -> Truth {
    var truth = Truth()
    for number in 1...Self.tasks {
      let id = StoreRecords.taskID(number)
      if let task = try await store.task(id) { truth.tasks[id] = task }
      if let digest = try await store.signedDigest(of: id) { truth.digests[id] = digest }
    }
    truth.performers = try await store.performers()
    truth.installation = try await store.installationID()
    return truth
  }

  private func put(_ bytes: Data) throws {
    for suffix in ["-wal", "-shm", "-journal"] where FileManager.default.fileExists(atPath: path + suffix) {
      try FileManager.default.removeItem(atPath: path + suffix)
    }
    try bytes.write(to: URL(fileURLWithPath: path))
  }
}

/// What may happen to a file.
private enum Damage {
  /// Does one of them to `bytes` and says which.
  static func random(_ random: inout SeededRandom, in bytes: inout Data) -> String {
    let count = bytes.count
    let place = Int.random(in: 0..<count, using: &random)
    let length = min([1, 8, 512, 4096].randomElement(using: &random) ?? 1, count - place)
    switch Int.random(in: 0..<6, using: &random) {
    case 0, 1:
      let bit = UInt8(1) << UInt8.random(in: 0..<8, using: &random)
      bytes[place] ^= bit
      return "bit \(bit) at \(place)"
    case 2:
      for index in place..<place + length { bytes[index] = UInt8.random(in: .min ... .max, using: &random) }
      return "\(length) random bytes at \(place)"
    case 3:
      for index in place..<place + length { bytes[index] = 0 }
      return "\(length) zeros at \(place)"
    case 4:
      bytes = bytes.prefix(place)
      return "cut to \(place)"
    default:
      let (from, to) = (place / 4096 * 4096, Int.random(in: 0..<count, using: &random) / 4096 * 4096)
      guard from + 4096 <= count, to + 4096 <= count else { return "nothing" }
      let page = bytes[from..<from + 4096]
      bytes.replaceSubrange(from..<from + 4096, with: bytes[to..<to + 4096])
      bytes.replaceSubrange(to..<to + 4096, with: page)
      return "pages at \(from) and \(to) exchanged"
    }
  }
}

/// SplitMix64: the same numbers for the same seed.
private struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var word = state
    word = (word ^ word >> 30) &* 0xbf58_476d_1ce4_e5b9
    word = (word ^ word >> 27) &* 0x94d0_49bb_1331_11eb
    return word ^ word >> 31
  }
}
