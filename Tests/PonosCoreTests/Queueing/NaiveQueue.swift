import PonosCore

/// What the task queue promises, written as plainly as possible: lists, searched from end to end, and fractions for the shares.
///
/// It shares no idea of structure with the real one: no heap, no lanes, no line of turns, no running totals.
struct NaiveQueue {
  typealias Entry = QueueScript.Queue.Entry

  let limits: QueueScript.Queue.Limits
  let weights: [EthereumAddress: Int]
  private(set) var waiting: [Entry] = []
  private(set) var reservations: [(avs: EthereumAddress, bytes: Int)] = []
  /// Reservations of each AVS beyond its room.
  private var promised: [EthereumAddress: Int] = [:]
  /// Bytes that the next task of an AVS is thought to bring.
  private var expected: [EthereumAddress: Int] = [:]
  /// AVSs in the order in which they were first named: the order in which a sweep puts them back into the line.
  private var met: [EthereumAddress] = []
  /// AVSs whose first task could not run.
  private var setAside: Set<EthereumAddress> = []
  /// Tasks each AVS has sent out, divided by its weight; never behind `pace` when it comes to the line.
  private var share: [EthereumAddress: Double] = [:]
  /// AVSs that are asked for a task, and when each came to the line.
  private var inLine: [EthereumAddress: Int] = [:]
  /// Share of the AVS served last, before it was served.
  private var pace = 0.0
  private var arrivals = 0

  init(limits: QueueScript.Queue.Limits, weights: [EthereumAddress: Int]) {
    self.limits = limits
    self.weights = weights
  }

  var depths: [EthereumAddress: Int] {
    Dictionary(grouping: waiting, by: \.avs).mapValues(\.count)
  }

  func freePlaces(avs: EthereumAddress) -> Int {
    let places = waiting.map(\.avs) + reservations.map(\.avs)
    let own = places.count { $0 == avs }
    let bytes = waiting.map { ($0.avs, $0.byteCount) } + reservations.map { ($0.avs, $0.bytes) }
    let (ownBytes, allBytes) = (bytes.filter { $0.0 == avs }.reduce(0) { $0 + $1.1 }, bytes.reduce(0) { $0 + $1.1 })
    let leftBytes = min(limits.bytesPerAVS - ownBytes, max(limits.bytes - allBytes, limits.guaranteedBytes - ownBytes))
    let leftPlaces = min(limits.perAVS - own, max(limits.total - places.count, limits.guaranteed - own))
    return max(0, min(leftPlaces, leftBytes / max(1, expected[avs] ?? limits.expectedBytes)))
  }

  // MARK: Places

  mutating func reserve(avs: EthereumAddress, byteCount: Int, priority: Int, deadline: Int64) -> QueueBound? {
    meet(avs)
    let before = expected[avs] ?? limits.expectedBytes
    expected[avs] = byteCount >= before ? byteCount : before - (before - byteCount) / 16
    if let bound = exceeded(byOneMoreOf: avs, byteCount) {
      guard mayDisplace(avs, byteCount, priority, deadline) else { return bound }
      promised[avs, default: 0] += 1
    }
    reservations.append((avs, byteCount))
    return nil
  }

  mutating func reserveUnbounded(avs: EthereumAddress, byteCount: Int) {
    meet(avs)
    reservations.append((avs, byteCount))
  }

  mutating func cancel(at index: Int) -> (avs: EthereumAddress, bytes: Int) {
    let reservation = reservations.remove(at: index)
    _ = keepPromise(reservation.avs)
    return reservation
  }

  /// Takes back the reservation at `index`, to be filled.
  mutating func takeReservation(at index: Int) -> (avs: EthereumAddress, bytes: Int) {
    reservations.remove(at: index)
  }

  /// Puts an entry on a place taken back; returns what it displaces.
  mutating func fill(_ entry: Entry) -> Entry? {
    insert(entry)
    guard keepPromise(entry.avs), isTooFull(entry.avs), let index = victim(entry.avs) else { return nil }
    return remove(at: index)
  }

  private mutating func keepPromise(_ avs: EthereumAddress) -> Bool {
    guard let count = promised[avs], count > 0 else { return false }
    promised[avs] = count - 1
    return true
  }

  private func exceeded(byOneMoreOf avs: EthereumAddress, _ byteCount: Int) -> QueueBound? {
    let places = waiting.map { ($0.avs, $0.byteCount) } + reservations.map { ($0.avs, $0.bytes) }
    let own = places.filter { $0.0 == avs }
    func bytes(_ places: [(EthereumAddress, Int)]) -> Int { places.map(\.1).reduce(byteCount, +) }
    if own.count + 1 > limits.perAVS { return .tasksOfAVS }
    if places.count + 1 > limits.total && own.count + 1 > limits.guaranteed { return .tasks }
    if bytes(own) > limits.bytesPerAVS { return .bytesOfAVS }
    if bytes(places) > limits.bytes && bytes(own) > limits.guaranteedBytes { return .bytes }
    return nil
  }

  private func isTooFull(_ avs: EthereumAddress) -> Bool {
    let places = waiting.map { ($0.avs, $0.byteCount) } + reservations.map { ($0.avs, $0.bytes) }
    let own = places.filter { $0.0 == avs }
    let ownCount = own.count - promised[avs, default: 0]
    let ownBytes = own.map(\.1).reduce(0, +)
    return ownCount > limits.perAVS
      || places.count - promised.values.reduce(0, +) > limits.total && ownCount > limits.guaranteed
      || ownBytes > limits.bytesPerAVS
      || places.map(\.1).reduce(0, +) > limits.bytes && ownBytes > limits.guaranteedBytes
  }

  private func mayDisplace(_ avs: EthereumAddress, _ byteCount: Int, _ priority: Int, _ deadline: Int64) -> Bool {
    guard promised[avs, default: 0] < waiting.count(where: { $0.avs == avs }), let index = victim(avs) else { return false }
    let victim = waiting[index]
    switch limits.overflow {
    case .rejectNewest: return false
    case .dropLowestPriority: if priority <= victim.priority { return false }
    case .dropNearestToExpiry: if deadline <= victim.deadline { return false }
    }
    let places = waiting.map { ($0.avs, $0.byteCount) } + reservations.map { ($0.avs, $0.bytes) }
    let growth = byteCount - victim.byteCount
    let own = places.filter { $0.0 == avs }.map(\.1).reduce(growth, +)
    return own <= limits.bytesPerAVS
      && (places.map(\.1).reduce(growth, +) <= limits.bytes || own <= limits.guaranteedBytes)
  }

  private func victim(_ avs: EthereumAddress) -> Int? {
    let own = waiting.indices.filter { waiting[$0].avs == avs }
    switch limits.overflow {
    case .rejectNewest: return nil
    case .dropLowestPriority: return own.max { Self.rank(waiting[$0]) < Self.rank(waiting[$1]) }
    // Of equal deadlines the one that came to the line first.
    case .dropNearestToExpiry: return own.min { (waiting[$0].deadline, $0) < (waiting[$1].deadline, $1) }
    }
  }

  // MARK: Tasks

  mutating func insert(_ entry: Entry) {
    meet(entry.avs)
    let wasEmpty = !waiting.contains { $0.avs == entry.avs }
    waiting.append(entry)
    if setAside.contains(entry.avs), first(entry.avs)?.sequence != entry.sequence { return }
    if wasEmpty || setAside.contains(entry.avs) { come(entry.avs) }
  }

  mutating func next(admitting admitted: Set<EthereumAddress>) -> Entry? {
    while let avs = inLine.keys.min(by: { turn($0) < turn($1) }) {
      inLine[avs] = nil
      guard let entry = first(avs) else { continue }
      guard admitted.contains(avs) else {
        setAside.insert(avs)
        continue
      }
      pace = share[avs, default: 0]
      share[avs] = pace + 1 / Double(weights[avs, default: 1])
      waiting.removeAll { $0.sequence == entry.sequence }
      if first(avs) != nil { come(avs) }
      return entry
    }
    return nil
  }

  mutating func reconsider(_ avs: EthereumAddress) {
    guard setAside.remove(avs) != nil else { return }
    if first(avs) != nil { come(avs) }
  }

  mutating func removeExpired(now: Int64) -> [Entry] {
    let expired = waiting.filter { $0.deadline <= now }
    waiting.removeAll { $0.deadline <= now }
    for avs in met where expired.contains(where: { $0.avs == avs }) { reconsider(avs) }
    return expired.sorted { $0.sequence < $1.sequence }
  }

  private func first(_ avs: EthereumAddress) -> Entry? {
    waiting.filter { $0.avs == avs }.min { Self.rank($0) < Self.rank($1) }
  }

  private mutating func meet(_ avs: EthereumAddress) {
    if !met.contains(avs) { met.append(avs) }
  }

  mutating func remove(at index: Int) -> Entry {
    let entry = waiting.remove(at: index)
    reconsider(entry.avs)
    return entry
  }

  /// Comes to the end of the line, unless it is there.
  private mutating func come(_ avs: EthereumAddress) {
    setAside.remove(avs)
    guard inLine[avs] == nil else { return }
    share[avs] = max(share[avs, default: 0], pace)
    arrivals += 1
    inLine[avs] = arrivals
  }

  private func turn(_ avs: EthereumAddress) -> (Double, Int) { (share[avs, default: 0], inLine[avs, default: 0]) }

  private static func rank(_ entry: Entry) -> (Int, Int64, Int64) {
    (-entry.priority, entry.deadline, entry.sequence)
  }
}
