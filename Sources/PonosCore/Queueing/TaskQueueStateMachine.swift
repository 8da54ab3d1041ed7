import HeapModule

/// What there is no more room for.
package enum QueueBound: Sendable, Hashable {
  /// Tasks of this AVS.
  case tasksOfAVS
  /// Payloads of this AVS.
  case bytesOfAVS
  /// Tasks altogether.
  case tasks
  /// Payloads altogether.
  case bytes
}

/// The waiting tasks: a priority heap for each AVS, turn and turn about between AVSs, bounded in number and in bytes.
///
/// A place is reserved before a task is accepted, so that what was accepted always has one.
package struct TaskQueueStateMachine<Content: Sendable>: Sendable {
  /// A waiting task and what its place in the queue depends on.
  package struct Entry: Sendable {
    package var id: TaskID
    package var avs: EthereumAddress
    /// Higher leaves first.
    package var priority: Int
    /// Among equal priorities the earliest deadline leaves first. Any monotone unit.
    package var deadline: Int64
    /// Among equal deadlines the first accepted leaves first.
    package var sequence: Int64
    /// What the entry keeps in memory, in bytes.
    package var byteCount: Int
    package var content: Content

    package init(
      id: TaskID, avs: EthereumAddress, priority: Int, deadline: Int64, sequence: Int64, byteCount: Int,
      content: Content
    ) {
      self.id = id
      self.avs = avs
      self.priority = priority
      self.deadline = deadline
      self.sequence = sequence
      self.byteCount = byteCount
      self.content = content
    }
  }

  /// How much may wait.
  package struct Limits: Sendable, Equatable {
    package var perAVS: Int
    package var total: Int
    /// Of all entries together.
    package var bytes: Int
    /// Of the entries of one AVS together.
    package var bytesPerAVS: Int

    package init(perAVS: Int, total: Int, bytes: Int, bytesPerAVS: Int = .max) {
      self.perAVS = perAVS
      self.total = total
      self.bytes = bytes
      self.bytesPerAVS = bytesPerAVS
    }
  }

  private struct Ranked: Comparable, Sendable {
    let entry: Entry

    static func < (left: Ranked, right: Ranked) -> Bool {
      let (a, b) = (left.entry, right.entry)
      if a.priority != b.priority { return a.priority > b.priority }
      if a.deadline != b.deadline { return a.deadline < b.deadline }
      return a.sequence < b.sequence
    }

    static func == (left: Ranked, right: Ranked) -> Bool {
      left.entry.sequence == right.entry.sequence
    }
  }

  private struct Lane: Sendable {
    var waiting = Heap<Ranked>()
    var reserved = 0
    /// Of waiting and reserved places.
    var bytes = 0
    var occupied: Int { waiting.count + reserved }
  }

  private let limits: Limits
  private var lanes: [EthereumAddress: Lane] = [:]
  /// AVSs with waiting tasks, in the order in which their turns come.
  private var turns: [EthereumAddress] = []
  private var occupiedTotal = 0
  private var occupiedBytes = 0
  /// No waiting task has an earlier deadline; lets a sweep that finds nothing cost nothing.
  private var earliestDeadline = Int64.max

  package init(limits: Limits) {
    self.limits = limits
  }

  /// Tasks waiting, without reserved places.
  package var count: Int { lanes.values.reduce(0) { $0 + $1.waiting.count } }

  /// Waiting tasks by AVS; AVSs without any are left out.
  package var depths: [EthereumAddress: Int] {
    lanes.mapValues(\.waiting.count).filter { $0.value > 0 }
  }

  /// Ids of the waiting tasks, in no order.
  package var waitingIDs: [TaskID] { lanes.values.flatMap { $0.waiting.unordered.map(\.entry.id) } }

  /// Tasks the AVS may still be given places for, going by their number.
  package func freePlaces(avs: EthereumAddress) -> Int {
    max(0, min(limits.perAVS - (lanes[avs]?.occupied ?? 0), limits.total - occupiedTotal))
  }

  /// Takes a place for a task about to be accepted; returns the bound that is in the way, nil when none is.
  package mutating func reserve(avs: EthereumAddress, byteCount: Int) -> QueueBound? {
    let lane = lanes[avs] ?? Lane()
    if lane.occupied >= limits.perAVS { return .tasksOfAVS }
    if occupiedTotal >= limits.total { return .tasks }
    if lane.bytes + byteCount > limits.bytesPerAVS { return .bytesOfAVS }
    if occupiedBytes + byteCount > limits.bytes { return .bytes }
    reserveUnbounded(avs: avs, byteCount: byteCount)
    return nil
  }

  /// Takes a place for a task that was accepted before and comes back shortly, whatever the limits say.
  package mutating func reserveUnbounded(avs: EthereumAddress, byteCount: Int) {
    lanes[avs, default: Lane()].reserved += 1
    occupy(avs, byteCount: byteCount)
  }

  /// Gives a reserved place back.
  package mutating func cancelReservation(avs: EthereumAddress, byteCount: Int) {
    guard let lane = lanes[avs], lane.reserved > 0 else { return }
    lanes[avs]?.reserved -= 1
    vacate(avs, byteCount: byteCount)
    dropLaneIfEmpty(avs)
  }

  /// Puts a task on the place reserved for it.
  package mutating func fillReservation(with entry: Entry) {
    guard let lane = lanes[entry.avs], lane.reserved > 0 else { return enqueueUnbounded(entry) }
    lanes[entry.avs]?.reserved -= 1
    insert(entry)
  }

  /// Puts in a task that was accepted before (after a restart, or for another run), whatever the limits say.
  package mutating func enqueueUnbounded(_ entry: Entry) {
    occupy(entry.avs, byteCount: entry.byteCount)
    insert(entry)
  }

  /// Takes out the next task of the AVS whose turn it is, passing over AVSs that `admit` refuses.
  ///
  /// - Parameter admit: Returns what lets the first task of an AVS run (a slot of its performer), or nil when it has to wait; those
  ///   behind it wait as well.
  package mutating func next<Grant>(admit: (Entry) -> Grant?) -> (entry: Entry, grant: Grant)? {
    for index in turns.indices {
      let avs = turns[index]
      // A lane is in `turns` exactly while it has waiting tasks.
      guard let entry = lanes[avs]?.waiting.min?.entry, let grant = admit(entry) else { continue }
      turns.remove(at: index)
      _ = lanes[avs]?.waiting.popMin()
      if lanes[avs]?.waiting.isEmpty == false { turns.append(avs) }
      vacate(avs, byteCount: entry.byteCount)
      dropLaneIfEmpty(avs)
      return (entry, grant)
    }
    return nil
  }

  /// Takes out every task whose deadline is at or before `now`.
  package mutating func removeExpired(now: Int64) -> [Entry] {
    guard now >= earliestDeadline else { return [] }
    earliestDeadline = .max
    var expired: [Entry] = []
    for avs in turns {
      guard let lane = lanes[avs] else { continue }
      let (gone, kept) = lane.waiting.unordered.reduce(into: ([Ranked](), [Ranked]())) { parts, ranked in
        if ranked.entry.deadline <= now { parts.0.append(ranked) } else { parts.1.append(ranked) }
      }
      earliestDeadline = kept.reduce(earliestDeadline) { min($0, $1.entry.deadline) }
      guard !gone.isEmpty else { continue }
      lanes[avs]?.waiting = Heap(kept)
      for ranked in gone { vacate(avs, byteCount: ranked.entry.byteCount) }
      expired += gone.map(\.entry)
    }
    turns.removeAll { lanes[$0]?.waiting.isEmpty != false }
    for avs in Set(expired.map(\.avs)) { dropLaneIfEmpty(avs) }
    return expired.sorted { $0.sequence < $1.sequence }
  }

  /// Takes out a task that waits, wherever in the line it is; nil when `avs` has none such waiting. Looks at every task of the AVS.
  package mutating func remove(avs: EthereumAddress, where isWanted: (Entry) -> Bool) -> Entry? {
    guard let waiting = lanes[avs]?.waiting, let found = waiting.unordered.first(where: { isWanted($0.entry) }) else {
      return nil
    }
    lanes[avs]?.waiting = Heap(waiting.unordered.filter { $0 != found })
    if lanes[avs]?.waiting.isEmpty == true { turns.removeAll { $0 == avs } }
    vacate(avs, byteCount: found.entry.byteCount)
    dropLaneIfEmpty(avs)
    return found.entry
  }

  private mutating func insert(_ entry: Entry) {
    if lanes[entry.avs]?.waiting.isEmpty != false { turns.append(entry.avs) }
    lanes[entry.avs, default: Lane()].waiting.insert(Ranked(entry: entry))
    earliestDeadline = min(earliestDeadline, entry.deadline)
  }

  private mutating func occupy(_ avs: EthereumAddress, byteCount: Int) {
    lanes[avs, default: Lane()].bytes += byteCount
    occupiedTotal += 1
    occupiedBytes += byteCount
  }

  private mutating func vacate(_ avs: EthereumAddress, byteCount: Int) {
    lanes[avs]?.bytes -= byteCount
    occupiedTotal -= 1
    occupiedBytes -= byteCount
  }

  private mutating func dropLaneIfEmpty(_ avs: EthereumAddress) {
    if lanes[avs]?.occupied == 0 { lanes[avs] = nil }
  }
}
