import PonosCore

/// What the task queue promises, written as plainly as possible: lists, searched from end to end, and a number for each turn.
///
/// It shares no idea of structure with the real one: no heap, no lanes, no list of turns, no running totals.
struct NaiveQueue {
  typealias Entry = QueueScript.Queue.Entry

  let limits: QueueScript.Queue.Limits
  private(set) var waiting: [Entry] = []
  private(set) var reservations: [(avs: EthereumAddress, bytes: Int)] = []
  /// When an AVS last came to the end of the line: by a first task, or by having had its turn.
  private var lastInLine: [EthereumAddress: Int] = [:]
  private var clock = 0

  init(limits: QueueScript.Queue.Limits) {
    self.limits = limits
  }

  var depths: [EthereumAddress: Int] {
    Dictionary(grouping: waiting, by: \.avs).mapValues(\.count)
  }

  mutating func reserve(avs: EthereumAddress, byteCount: Int) -> QueueBound? {
    let places = waiting.map { ($0.avs, $0.byteCount) } + reservations.map { ($0.avs, $0.bytes) }
    let own = places.filter { $0.0 == avs }
    func bytes(_ places: [(EthereumAddress, Int)]) -> Int { places.map(\.1).reduce(byteCount, +) }
    if own.count + 1 > limits.perAVS { return .tasksOfAVS }
    if places.count + 1 > limits.total { return .tasks }
    if bytes(own) > limits.bytesPerAVS { return .bytesOfAVS }
    if bytes(places) > limits.bytes { return .bytes }
    reservations.append((avs, byteCount))
    return nil
  }

  mutating func reserveUnbounded(avs: EthereumAddress, byteCount: Int) {
    reservations.append((avs, byteCount))
  }

  /// Takes back the reservation at `index` and returns it.
  mutating func takeReservation(at index: Int) -> (avs: EthereumAddress, bytes: Int) {
    reservations.remove(at: index)
  }

  mutating func insert(_ entry: Entry) {
    if !waiting.contains(where: { $0.avs == entry.avs }) { goToEndOfLine(entry.avs) }
    waiting.append(entry)
  }

  mutating func next(admitting admitted: Set<EthereumAddress>) -> Entry? {
    let inLine = Set(waiting.map(\.avs)).intersection(admitted)
    guard let avs = inLine.min(by: { lastInLine[$0, default: 0] < lastInLine[$1, default: 0] }) else { return nil }
    let best = waiting.indices.filter { waiting[$0].avs == avs }.min { Self.rank(waiting[$0]) < Self.rank(waiting[$1]) }
    guard let best else { return nil }
    goToEndOfLine(avs)
    return waiting.remove(at: best)
  }

  mutating func removeExpired(now: Int64) -> [Entry] {
    let expired = waiting.filter { $0.deadline <= now }
    waiting.removeAll { $0.deadline <= now }
    return expired.sorted { $0.sequence < $1.sequence }
  }

  private static func rank(_ entry: Entry) -> (Int, Int64, Int64) {
    (-entry.priority, entry.deadline, entry.sequence)
  }

  private mutating func goToEndOfLine(_ avs: EthereumAddress) {
    clock += 1
    lastInLine[avs] = clock
  }
}
