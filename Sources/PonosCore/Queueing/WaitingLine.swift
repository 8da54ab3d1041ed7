import HeapModule

/// The waiting tasks of one AVS. It finds the task that leaves first, the one that leaves last, and the one that expires first.
///
/// Numbered slots hold the tasks; two heaps, by rank and by deadline, hold keys to the slots. Taking a task out by one key leaves
/// the other key behind, invalid: its heap drops it when it surfaces, or all such keys together once they outnumber the tasks. So
/// every operation takes logarithmic time, amortised, and memory stays proportional to the tasks. The first removal by id makes an
/// index by id.
struct WaitingLine<Content: Sendable>: Sendable {
  typealias Entry = QueueEntry<Content>

  private struct Slot: Sendable {
    /// Changes with each entry and is never used again; 0 while the slot is empty.
    var generation: UInt64 = 0
    var entry: Entry?
  }

  /// Invalid keys that are not worth a clean-up.
  private static var toleratedKeys: Int { 64 }

  private(set) var count = 0
  private var slots: [Slot] = []
  private var emptySlots: [Int] = []
  private var byRank = Heap<Rank>()
  private var byDeadline = Heap<Expiry>()
  private var lastGeneration: UInt64 = 0
  /// The slot of each task; nil until a task is removed by its id, which most lines never see.
  private var slotsByID: [TaskID: Int]?

  var isEmpty: Bool { count == 0 }

  /// All entries, in no order.
  var entries: some Sequence<Entry> { slots.lazy.compactMap(\.entry) }

  /// Puts an entry in; returns whether it is the first one now.
  mutating func insert(_ entry: Entry) -> Bool {
    lastGeneration += 1
    let key = SlotKey(slot: emptySlots.popLast() ?? slots.count, generation: lastGeneration)
    if key.slot == slots.count { slots.append(Slot()) }
    slots[key.slot] = Slot(generation: key.generation, entry: entry)
    slotsByID?[entry.id] = key.slot
    count += 1
    byRank.insert(Rank(priority: entry.priority, deadline: entry.deadline, sequence: entry.sequence, key: key))
    byDeadline.insert(Expiry(deadline: entry.deadline, key: key))
    dropOldRanks()
    return byRank.min?.key.generation == key.generation
  }

  /// The task that leaves first: of the highest priority, then of the earliest deadline, then accepted first.
  mutating func first() -> Entry? {
    dropOldRanks()
    return byRank.min.flatMap { slots[$0.key.slot].entry }
  }

  /// The task that leaves last.
  mutating func last() -> Entry? {
    while let rank = byRank.max, !isValid(rank.key) { byRank.removeMax() }
    return byRank.max.flatMap { slots[$0.key.slot].entry }
  }

  /// The task whose time ends first.
  mutating func nearestToExpiry() -> Entry? {
    while let expiry = byDeadline.min, !isValid(expiry.key) { byDeadline.removeMin() }
    return byDeadline.min.flatMap { slots[$0.key.slot].entry }
  }

  /// Takes out what `first` shows.
  mutating func removeFirst() -> Entry? {
    guard first() != nil, let rank = byRank.popMin() else { return nil }
    return vacate(rank.key)
  }

  /// Takes out what `last` shows.
  mutating func removeLast() -> Entry? {
    guard last() != nil, let rank = byRank.popMax() else { return nil }
    return vacate(rank.key)
  }

  /// Takes out what `nearestToExpiry` shows.
  mutating func removeNearestToExpiry() -> Entry? {
    guard nearestToExpiry() != nil, let expiry = byDeadline.popMin() else { return nil }
    return vacate(expiry.key)
  }

  /// Takes out an entry, wherever in the line it is; nil when it is not there, or not wanted. Looks at every entry the first time,
  /// and again only after the line was empty.
  mutating func remove(_ id: TaskID, where isWanted: (Entry) -> Bool) -> Entry? {
    if isEmpty { return nil }
    if slotsByID == nil { indexSlots() }
    guard let slot = slotsByID?[id], let entry = slots[slot].entry, isWanted(entry) else { return nil }
    return vacate(SlotKey(slot: slot, generation: slots[slot].generation))
  }

  private mutating func indexSlots() {
    var index: [TaskID: Int] = [:]
    index.reserveCapacity(count)
    for (slot, content) in slots.enumerated() {
      if let entry = content.entry { index[entry.id] = slot }
    }
    slotsByID = index
  }

  private func isValid(_ key: SlotKey) -> Bool { slots[key.slot].generation == key.generation }

  private mutating func dropOldRanks() {
    while let rank = byRank.min, !isValid(rank.key) { byRank.removeMin() }
  }

  private mutating func vacate(_ key: SlotKey) -> Entry? {
    let entry = slots[key.slot].entry
    slots[key.slot] = Slot()
    if let entry, slotsByID?[entry.id] == key.slot { slotsByID?[entry.id] = nil }
    emptySlots.append(key.slot)
    count -= 1
    cleanUp()
    return entry
  }

  private mutating func cleanUp() {
    if isEmpty {
      byRank = Heap()
      byDeadline = Heap()
      slotsByID = nil
      // A long line that has gone gives its memory back.
      if slots.count > Self.toleratedKeys { (slots, emptySlots) = ([], []) }
      return
    }
    let tolerated = 2 * count + Self.toleratedKeys
    if byRank.count > tolerated { byRank = Heap(byRank.unordered.filter { isValid($0.key) }) }
    if byDeadline.count > tolerated { byDeadline = Heap(byDeadline.unordered.filter { isValid($0.key) }) }
  }
}

// Not nested in the line: types inside a generic one are generic themselves, and heaps of them are run by look-ups of types.

/// Names the entry of a slot; valid as long as the slot has the generation.
private struct SlotKey: Sendable {
  let slot: Int
  let generation: UInt64
}

private struct Rank: Comparable, Sendable {
  let priority: Int
  let deadline: Int64
  let sequence: Int64
  let key: SlotKey

  static func < (left: Rank, right: Rank) -> Bool {
    if left.priority != right.priority { return left.priority > right.priority }
    if left.deadline != right.deadline { return left.deadline < right.deadline }
    if left.sequence != right.sequence { return left.sequence < right.sequence }
    return left.key.generation < right.key.generation
  }

  static func == (left: Rank, right: Rank) -> Bool { left.key.generation == right.key.generation }
}

private struct Expiry: Comparable, Sendable {
  let deadline: Int64
  let key: SlotKey

  static func < (left: Expiry, right: Expiry) -> Bool {
    left.deadline != right.deadline ? left.deadline < right.deadline : left.key.generation < right.key.generation
  }

  static func == (left: Expiry, right: Expiry) -> Bool { left.key.generation == right.key.generation }
}
