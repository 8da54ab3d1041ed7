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

  mutating func reserve(avs: EthereumAddress, byteCount: Int) -> Bool {
    let ofAVS = waiting.filter { $0.avs == avs }.count + reservations.filter { $0.avs == avs }.count
    let bytes = waiting.map(\.byteCount).reduce(0, +) + reservations.map(\.bytes).reduce(0, +)
    guard
      ofAVS + 1 <= limits.perAVS, waiting.count + reservations.count + 1 <= limits.total,
      bytes + byteCount <= limits.bytes
    else { return false }
    reservations.append((avs, byteCount))
    return true
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
