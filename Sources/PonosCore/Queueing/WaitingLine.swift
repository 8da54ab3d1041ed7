import HeapModule

/// The waiting tasks of one AVS, from three sides: the one to leave first, the one to leave last, and the one whose time ends
/// first.
///
/// The tasks lie in numbered places; two heaps hold keys to them, by rank and by deadline. Taking a task out by one key leaves
/// the other behind: it is dropped when it surfaces, and all such keys together as soon as they outnumber the tasks. So every
/// operation takes logarithmic time, amortised, and memory stays proportional to what waits. An index by id is made when the first
/// task is taken out by its id.
struct WaitingLine<Content: Sendable>: Sendable {
  typealias Entry = QueueEntry<Content>

  private struct Place: Sendable {
    /// Number of the entry's stay here, never used again; 0 while the place is empty.
    var stay: UInt64 = 0
    var entry: Entry?
  }

  /// Keys without a task that are not worth a clean-up.
  private static var toleratedKeys: Int { 64 }

  private(set) var count = 0
  private var places: [Place] = []
  private var emptyPlaces: [Int] = []
  private var byRank = Heap<Rank>()
  private var byDeadline = Heap<Expiry>()
  private var lastStay: UInt64 = 0
  /// The place of each task, once one was taken out by its id; nil before that, since most lines are never asked.
  private var placesByID: [TaskID: Int]?

  var isEmpty: Bool { count == 0 }

  /// All entries, in no order.
  var entries: some Sequence<Entry> { places.lazy.compactMap(\.entry) }

  /// Puts an entry in; returns whether it is the first one now.
  mutating func insert(_ entry: Entry) -> Bool {
    lastStay += 1
    let key = PlaceKey(place: emptyPlaces.popLast() ?? places.count, stay: lastStay)
    if key.place == places.count { places.append(Place()) }
    places[key.place] = Place(stay: key.stay, entry: entry)
    placesByID?[entry.id] = key.place
    count += 1
    byRank.insert(Rank(priority: entry.priority, deadline: entry.deadline, sequence: entry.sequence, key: key))
    byDeadline.insert(Expiry(deadline: entry.deadline, key: key))
    dropOldRanks()
    return byRank.min?.key.stay == key.stay
  }

  /// The task that leaves first: of the highest priority, then of the earliest deadline, then accepted first.
  mutating func first() -> Entry? {
    dropOldRanks()
    return byRank.min.flatMap { places[$0.key.place].entry }
  }

  /// The task that leaves last.
  mutating func last() -> Entry? {
    while let rank = byRank.max, !isGood(rank.key) { byRank.removeMax() }
    return byRank.max.flatMap { places[$0.key.place].entry }
  }

  /// The task whose time ends first.
  mutating func nearestToExpiry() -> Entry? {
    while let expiry = byDeadline.min, !isGood(expiry.key) { byDeadline.removeMin() }
    return byDeadline.min.flatMap { places[$0.key.place].entry }
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
    if placesByID == nil { indexPlaces() }
    guard let place = placesByID?[id], let entry = places[place].entry, isWanted(entry) else { return nil }
    return vacate(PlaceKey(place: place, stay: places[place].stay))
  }

  private mutating func indexPlaces() {
    var index: [TaskID: Int] = [:]
    index.reserveCapacity(count)
    for (place, content) in places.enumerated() {
      if let entry = content.entry { index[entry.id] = place }
    }
    placesByID = index
  }

  private func isGood(_ key: PlaceKey) -> Bool { places[key.place].stay == key.stay }

  private mutating func dropOldRanks() {
    while let rank = byRank.min, !isGood(rank.key) { byRank.removeMin() }
  }

  private mutating func vacate(_ key: PlaceKey) -> Entry? {
    let entry = places[key.place].entry
    places[key.place] = Place()
    if let entry, placesByID?[entry.id] == key.place { placesByID?[entry.id] = nil }
    emptyPlaces.append(key.place)
    count -= 1
    cleanUp()
    return entry
  }

  private mutating func cleanUp() {
    if isEmpty {
      byRank = Heap()
      byDeadline = Heap()
      placesByID = nil
      // A long line that has gone gives its memory back.
      if places.count > Self.toleratedKeys { (places, emptyPlaces) = ([], []) }
      return
    }
    let tolerated = 2 * count + Self.toleratedKeys
    if byRank.count > tolerated { byRank = Heap(byRank.unordered.filter { isGood($0.key) }) }
    if byDeadline.count > tolerated { byDeadline = Heap(byDeadline.unordered.filter { isGood($0.key) }) }
  }
}

// Not nested in the line: types inside a generic one are generic themselves, and heaps of them are run by look-ups of types.

/// Key to a place, good for one stay.
private struct PlaceKey: Sendable {
  let place: Int
  let stay: UInt64
}

private struct Rank: Comparable, Sendable {
  let priority: Int
  let deadline: Int64
  let sequence: Int64
  let key: PlaceKey

  static func < (left: Rank, right: Rank) -> Bool {
    if left.priority != right.priority { return left.priority > right.priority }
    if left.deadline != right.deadline { return left.deadline < right.deadline }
    if left.sequence != right.sequence { return left.sequence < right.sequence }
    return left.key.stay < right.key.stay
  }

  static func == (left: Rank, right: Rank) -> Bool { left.key.stay == right.key.stay }
}

private struct Expiry: Comparable, Sendable {
  let deadline: Int64
  let key: PlaceKey

  static func < (left: Expiry, right: Expiry) -> Bool {
    left.deadline != right.deadline ? left.deadline < right.deadline : left.key.stay < right.key.stay
  }

  static func == (left: Expiry, right: Expiry) -> Bool { left.key.stay == right.key.stay }
}
