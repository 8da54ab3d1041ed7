import HeapModule

/// The waiting tasks: a line by rank for each AVS, turns between AVSs by weight, bounded in number and in bytes.
///
/// A place is reserved before a task is accepted, so that an accepted task always has one. Each AVS has places of its own that
/// the others cannot take (`Limits.guaranteed`), so no number of full AVSs shuts another one out. Turns follow virtual time: each
/// task an AVS sends out moves it forward by the inverse of its weight, and the AVS that is furthest behind is next. An AVS that
/// comes back to the line, after it had nothing to do or could not run, starts from where the others are: no AVS saves up turns.
/// AVSs that cannot run are set aside and cost nothing until `reconsider` names them, so `next` takes logarithmic time, however
/// many AVSs wait.
///
/// Entries are of AVSs that the configuration knows; what is kept of each is kept for good.
package struct TaskQueueStateMachine<Content: Sendable>: Sendable {
  package typealias Entry = QueueEntry<Content>

  /// How much may wait, and what happens beyond.
  package struct Limits: Sendable, Equatable {
    package var perAVS: Int
    package var total: Int
    /// Of all entries together.
    package var bytes: Int
    /// Of the entries of one AVS together.
    package var bytesPerAVS: Int
    /// Places that each AVS has for itself, however many others have taken: up to this number, `total` does not bound it.
    package var guaranteed: Int
    /// Bytes that each AVS has for itself.
    package var guaranteedBytes: Int
    /// Bytes that a task of an AVS is thought to bring before any has come.
    package var expectedBytes: Int
    package var overflow: OverflowPolicy

    package init(
      perAVS: Int, total: Int, bytes: Int, bytesPerAVS: Int = .max, guaranteed: Int = 0, guaranteedBytes: Int = 0,
      expectedBytes: Int = 1, overflow: OverflowPolicy = .rejectNewest
    ) {
      self.perAVS = perAVS
      self.total = total
      self.bytes = bytes
      self.bytesPerAVS = bytesPerAVS
      self.guaranteed = guaranteed
      self.guaranteedBytes = guaranteedBytes
      self.expectedBytes = expectedBytes
      self.overflow = overflow
    }
  }

  private struct Lane: Sendable {
    enum Standing: Sendable {
      /// The lane is not in `turns`: it had no task when its turn came. Can transition to `inTurn`, when a task comes.
      case idle
      /// The lane is in `turns`, once. Can transition to `idle` and to `setAside`, when its turn comes.
      case inTurn
      /// The lane is not in `turns`: its first task could not run. Can transition to `inTurn`, when another task comes first or
      /// `reconsider` names the AVS, and to `idle`, when `reconsider` finds no task.
      case setAside
    }

    let avs: EthereumAddress
    /// Virtual time that one task takes.
    let stride: Int64
    var line = WaitingLine<Content>()
    var reserved = 0
    /// Reserved places there was no room for: as many tasks are displaced when they are filled, unless room has come by then.
    var overbooked = 0
    /// Of waiting and reserved places.
    var bytes = 0
    /// Bytes that its next task is thought to bring: rises to those of each larger one, and falls slowly with smaller ones.
    var expectedBytes: Int
    /// Virtual time of its next turn.
    var time: Int64 = 0
    var standing = Standing.idle
    var occupied: Int { line.count + reserved }
  }

  /// The turn of an AVS. Equal times go in the order in which the AVSs came to the line.
  private struct Turn: Comparable, Sendable {
    let time: Int64
    let number: UInt64
    let lane: Int

    static func < (left: Turn, right: Turn) -> Bool {
      left.time != right.time ? left.time < right.time : left.number < right.number
    }
  }

  /// Virtual time of a task of weight 1: divides well, and 2^43 tasks go by before the clock overflows.
  private static var unitStride: Int64 { 1 << 20 }

  private let limits: Limits
  private let weights: [EthereumAddress: Int]
  private var lanes: [Lane] = []
  private var laneIndex: [EthereumAddress: Int] = [:]
  private var turns = Heap<Turn>()
  private var lastTurn: UInt64 = 0
  /// Virtual time of the turn taken last.
  private var now: Int64 = 0
  private var occupiedTotal = 0
  private var occupiedBytes = 0
  private var overbookedTotal = 0
  /// No waiting task has an earlier deadline; lets a sweep that finds nothing cost nothing.
  private var earliestDeadline = Int64.max

  /// - Parameter weights: How many tasks an AVS may send out for each one of an AVS of weight 1, while both have work; 1 for
  ///   those not named.
  package init(limits: Limits, weights: [EthereumAddress: Int] = [:]) {
    self.limits = limits
    self.weights = weights
  }

  // MARK: Reading

  /// Tasks waiting, without reserved places.
  package var count: Int { lanes.reduce(0) { $0 + $1.line.count } }

  /// Waiting tasks by AVS; AVSs without any are left out.
  package var depths: [EthereumAddress: Int] {
    Dictionary(uniqueKeysWithValues: lanes.lazy.filter { !$0.line.isEmpty }.map { ($0.avs, $0.line.count) })
  }

  /// Ids of the waiting tasks, in no order.
  package var waitingIDs: [TaskID] { lanes.flatMap { $0.line.entries.map(\.id) } }

  /// Tasks the AVS may still be given places for.
  package func freePlaces(avs: EthereumAddress) -> Int {
    room(avs: avs).places
  }

  /// How far the AVS, and all together, are from their bounds; below zero beyond them.
  package func room(avs: EthereumAddress) -> QueueRoom {
    let lane = laneIndex[avs].map { lanes[$0] }
    let (occupied, bytes) = (lane?.occupied ?? 0, lane?.bytes ?? 0)
    let expected = max(1, lane?.expectedBytes ?? limits.expectedBytes)
    let total = max(limits.total - occupiedTotal, limits.guaranteed - occupied)
    let totalBytes = max(limits.bytes - occupiedBytes, limits.guaranteedBytes - bytes)
    return QueueRoom(
      ofAVS: limits.perAVS - occupied, total: total, fittingOfAVS: (limits.bytesPerAVS - bytes) / expected,
      fittingTotal: totalBytes / expected)
  }

  // MARK: Reserving

  /// Takes a place for a task about to be accepted; returns the bound that is in the way, nil when none is or when the policy
  /// lets the task displace another one.
  ///
  /// - Parameters:
  ///   - priority: Of the task; decides whether it may displace another one.
  ///   - deadline: Of the task; decides likewise.
  package mutating func reserve(
    avs: EthereumAddress, byteCount: Int, priority: Int = 0, deadline: Int64 = .max
  ) -> QueueBound? {
    let lane = lane(of: avs)
    expect(byteCount, on: lane)
    if let bound = bound(on: lane, byteCount: byteCount) {
      guard mayDisplace(in: lane, byteCount: byteCount, priority: priority, deadline: deadline) else { return bound }
      lanes[lane].overbooked += 1
      overbookedTotal += 1
    }
    lanes[lane].reserved += 1
    occupy(lane, byteCount: byteCount)
    return nil
  }

  /// Takes a place for a task that was accepted before and comes back shortly, whatever the limits say.
  package mutating func reserveUnbounded(avs: EthereumAddress, byteCount: Int) {
    let lane = lane(of: avs)
    lanes[lane].reserved += 1
    occupy(lane, byteCount: byteCount)
  }

  /// Gives a reserved place back.
  package mutating func cancelReservation(avs: EthereumAddress, byteCount: Int) {
    guard let lane = laneIndex[avs], lanes[lane].reserved > 0 else { return }
    lanes[lane].reserved -= 1
    vacate(lane, byteCount: byteCount)
    _ = settleOverbooking(in: lane)
  }

  /// Puts a task on the place reserved for it; returns the task it displaces and the bound that is kept by that. The task
  /// displaced may be the new one, when better ones have come since it was reserved.
  package mutating func fillReservation(with entry: Entry) -> (displaced: Entry, bound: QueueBound)? {
    guard let lane = laneIndex[entry.avs], lanes[lane].reserved > 0 else {
      enqueueUnbounded(entry)
      return nil
    }
    lanes[lane].reserved -= 1
    insert(entry, lane)
    guard settleOverbooking(in: lane), let bound = exceededBound(on: lane) else { return nil }
    return displace(in: lane).map { ($0, bound) }
  }

  /// Puts in a task that was accepted before (after a restart, or for another run), whatever the limits say.
  package mutating func enqueueUnbounded(_ entry: Entry) {
    let lane = lane(of: entry.avs)
    occupy(lane, byteCount: entry.byteCount)
    insert(entry, lane)
  }

  // MARK: Taking out

  /// Takes out the next task of the AVS whose turn it is. AVSs that `admit` refuses are set aside until `reconsider` names them
  /// or another task of theirs comes first.
  ///
  /// - Parameter admit: Returns what lets the first task of an AVS run (a slot of its performer), or nil when it has to wait;
  ///   those behind it wait as well.
  package mutating func next<Grant>(admit: (Entry) -> Grant?) -> (entry: Entry, grant: Grant)? {
    while let turn = turns.popMin() {
      let lane = turn.lane
      lanes[lane].standing = .idle
      guard let first = lanes[lane].line.first() else { continue }
      guard let grant = admit(first) else {
        lanes[lane].standing = .setAside
        continue
      }
      now = turn.time
      lanes[lane].time = turn.time + lanes[lane].stride
      guard let entry = lanes[lane].line.removeFirst() else { continue }
      vacate(lane, byteCount: entry.byteCount)
      if !lanes[lane].line.isEmpty { putInTurn(lane) }
      return (entry, grant)
    }
    return nil
  }

  /// Asks an AVS that could not run again: something it may have waited for has changed.
  package mutating func reconsider(_ avs: EthereumAddress) {
    guard let lane = laneIndex[avs] else { return }
    reconsider(lane: lane)
  }

  /// Takes out every task whose deadline is at or before `now`.
  package mutating func removeExpired(now: Int64) -> [Entry] {
    guard now >= earliestDeadline else { return [] }
    earliestDeadline = .max
    var expired: [Entry] = []
    for lane in lanes.indices {
      let before = expired.count
      while let nearest = lanes[lane].line.nearestToExpiry() {
        guard nearest.deadline <= now, let entry = lanes[lane].line.removeNearestToExpiry() else {
          earliestDeadline = min(earliestDeadline, nearest.deadline)
          break
        }
        vacate(lane, byteCount: entry.byteCount)
        expired.append(entry)
      }
      if expired.count > before { reconsider(lane: lane) }
    }
    return expired.sorted { $0.sequence < $1.sequence }
  }

  /// Takes out a waiting task, wherever in the line it is; nil when `avs` has no task with the id, or it is not wanted.
  package mutating func remove(_ id: TaskID, avs: EthereumAddress, where isWanted: (Entry) -> Bool = { _ in true }) -> Entry? {
    guard let lane = laneIndex[avs], let entry = lanes[lane].line.remove(id, where: isWanted) else { return nil }
    vacate(lane, byteCount: entry.byteCount)
    reconsider(lane: lane)
    return entry
  }

  // MARK: Lanes and turns

  private mutating func lane(of avs: EthereumAddress) -> Int {
    if let known = laneIndex[avs] { return known }
    let stride = Self.unitStride / Int64(max(1, weights[avs] ?? 1))
    lanes.append(Lane(avs: avs, stride: max(1, stride), expectedBytes: limits.expectedBytes))
    laneIndex[avs] = lanes.count - 1
    return lanes.count - 1
  }

  private mutating func insert(_ entry: Entry, _ lane: Int) {
    earliestDeadline = min(earliestDeadline, entry.deadline)
    let isFirst = lanes[lane].line.insert(entry)
    switch lanes[lane].standing {
    case .inTurn: break
    case .idle: putInTurn(lane)
    // Another first task may have what it takes to run.
    case .setAside: if isFirst { putInTurn(lane) }
    }
  }

  private mutating func putInTurn(_ lane: Int) {
    lanes[lane].standing = .inTurn
    lanes[lane].time = max(lanes[lane].time, now)
    lastTurn += 1
    turns.insert(Turn(time: lanes[lane].time, number: lastTurn, lane: lane))
  }

  private mutating func reconsider(lane: Int) {
    guard case .setAside = lanes[lane].standing else { return }
    if lanes[lane].line.isEmpty { lanes[lane].standing = .idle } else { putInTurn(lane) }
  }

  // MARK: Bounds

  private mutating func expect(_ byteCount: Int, on lane: Int) {
    let expected = lanes[lane].expectedBytes
    lanes[lane].expectedBytes = max(byteCount, expected - (expected - byteCount) / 16)
  }

  private func bound(on lane: Int, byteCount: Int) -> QueueBound? {
    if lanes[lane].occupied >= limits.perAVS { return .tasksOfAVS }
    if occupiedTotal >= limits.total, lanes[lane].occupied >= limits.guaranteed { return .tasks }
    if lanes[lane].bytes + byteCount > limits.bytesPerAVS { return .bytesOfAVS }
    if exceedsBytes(lane, growth: byteCount) { return .bytes }
    return nil
  }

  /// Whether `growth` further bytes exceed the bound of all AVSs together, and also the AVS's own guarantee.
  private func exceedsBytes(_ lane: Int, growth: Int) -> Bool {
    occupiedBytes + growth > limits.bytes && lanes[lane].bytes + growth > limits.guaranteedBytes
  }

  private mutating func mayDisplace(in lane: Int, byteCount: Int, priority: Int, deadline: Int64) -> Bool {
    guard lanes[lane].overbooked < lanes[lane].line.count, let victim = displaced(in: lane) else { return false }
    let isBetter =
      switch limits.overflow {
      case .rejectNewest: false
      case .dropLowestPriority: priority > victim.priority
      case .dropNearestToExpiry: deadline > victim.deadline
      }
    let growth = byteCount - victim.byteCount
    return isBetter && lanes[lane].bytes + growth <= limits.bytesPerAVS && !exceedsBytes(lane, growth: growth)
  }

  /// The task that goes when a better one comes.
  private mutating func displaced(in lane: Int) -> Entry? {
    switch limits.overflow {
    case .rejectNewest: nil
    case .dropLowestPriority: lanes[lane].line.last()
    case .dropNearestToExpiry: lanes[lane].line.nearestToExpiry()
    }
  }

  private mutating func displace(in lane: Int) -> Entry? {
    let entry =
      switch limits.overflow {
      case .rejectNewest: nil as Entry?
      case .dropLowestPriority: lanes[lane].line.removeLast()
      case .dropNearestToExpiry: lanes[lane].line.removeNearestToExpiry()
      }
    if let entry {
      vacate(lane, byteCount: entry.byteCount)
      reconsider(lane: lane)
    }
    return entry
  }

  /// Ends one reservation. Places are interchangeable, so it counts as an overbooked one while any are left. Returns whether any
  /// were.
  private mutating func settleOverbooking(in lane: Int) -> Bool {
    guard lanes[lane].overbooked > 0 else { return false }
    lanes[lane].overbooked -= 1
    overbookedTotal -= 1
    return true
  }

  /// The bound that is exceeded; reservations that will displace a task of their own do not count against the numbers.
  private func exceededBound(on lane: Int) -> QueueBound? {
    let occupied = lanes[lane].occupied - lanes[lane].overbooked
    if occupied > limits.perAVS { return .tasksOfAVS }
    if occupiedTotal - overbookedTotal > limits.total, occupied > limits.guaranteed { return .tasks }
    if lanes[lane].bytes > limits.bytesPerAVS { return .bytesOfAVS }
    if exceedsBytes(lane, growth: 0) { return .bytes }
    return nil
  }

  private mutating func occupy(_ lane: Int, byteCount: Int) {
    lanes[lane].bytes += byteCount
    occupiedTotal += 1
    occupiedBytes += byteCount
  }

  private mutating func vacate(_ lane: Int, byteCount: Int) {
    lanes[lane].bytes -= byteCount
    occupiedTotal -= 1
    occupiedBytes -= byteCount
  }
}
