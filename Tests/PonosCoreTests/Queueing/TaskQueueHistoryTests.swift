import PonosCore
import Testing

/// Random histories, checked step by step against `NaiveQueue`.
@Suite("Task queue, by random histories")
struct TaskQueueHistoryTests {
  static let steps = 3000

  @Test("does what the plain model does", arguments: SeededGenerator.seeds, OverflowPolicy.allCases)
  func doesWhatPlainModelDoes(seed: UInt64, overflow: OverflowPolicy) {
    var history = QueueHistory(seed: seed, overflow: overflow)
    for step in 0..<Self.steps {
      if let difference = history.step() {
        Issue.record("seed \(seed), \(overflow), step \(step): \(difference)")
        return
      }
    }
    #expect(history.removed > 0, "seed \(seed) took no task back")
    #expect(history.servedBeyondTotal > 0, "seed \(seed) never kept a place for an AVS while the queue was full")
    #expect(history.left > Self.steps / 10, "seed \(seed) took out so little that it proves nothing")
    #expect(history.refusedBy.count == 4, "seed \(seed) met only \(history.refusedBy)")
    #expect(history.expired > 0, "seed \(seed) never saw a task expire")
    #expect((history.displaced > 0) == (overflow != .rejectNewest), "seed \(seed) displaced \(history.displaced) tasks")
  }
}

/// One history: the queue, its model, and the dice.
struct QueueHistory {
  private static let avs = (1...4).map { QueueScript.avs($0) }
  /// Powers of two, which both can divide by without rest.
  private static let weights = [avs[1]: 2, avs[2]: 4]

  private var dice: SeededGenerator
  private let limits: QueueScript.Queue.Limits
  private var queue: QueueScript.Queue
  private var model: NaiveQueue
  private var sequence: Int64 = 0
  private var now: Int64 = 0

  /// How often each thing happened, so that a history that exercises nothing cannot pass.
  private(set) var left = 0
  private(set) var refusedBy: Set<QueueBound> = []
  private(set) var expired = 0
  private(set) var displaced = 0
  private(set) var removed = 0
  private(set) var servedBeyondTotal = 0

  init(seed: UInt64, overflow: OverflowPolicy) {
    dice = SeededGenerator(seed: seed)
    limits = QueueScript.Queue.Limits(
      perAVS: 6, total: 14, bytes: 90, bytesPerAVS: 40, guaranteed: 3, guaranteedBytes: 22, overflow: overflow)
    queue = QueueScript.Queue(limits: limits, weights: Self.weights)
    model = NaiveQueue(limits: limits, weights: Self.weights)
  }

  /// Does one thing to both; returns how they differ, or nil.
  mutating func step() -> String? {
    let difference =
      switch Int.random(in: 0..<100, using: &dice) {
      case 0..<35: reserve()
      case 35..<52: fill()
      case 52..<55: reserveUnbounded()
      case 55..<60: cancel()
      case 60..<62: enqueueAgain()
      case 62..<63: remove()
      case 63..<84: takeNext()
      case 84..<95: reconsider()
      default: expire()
      }
    return difference ?? differenceInDepths()
  }

  private mutating func reserve() -> String? {
    let avs = anyAVS()
    let (bytes, priority, deadline) = (Int.random(in: 0...12, using: &dice), anyPriority(), anyDeadline())
    let isFull = model.waiting.count + model.reservations.count >= limits.total
    let mine = queue.reserve(avs: avs, byteCount: bytes, priority: priority, deadline: deadline)
    let theirs = model.reserve(avs: avs, byteCount: bytes, priority: priority, deadline: deadline)
    if let theirs { refusedBy.insert(theirs) } else if isFull { servedBeyondTotal += 1 }
    return mine == theirs
      ? nil : "reserve(\(avs), \(bytes)) is \(String(describing: mine)), the model says \(String(describing: theirs))"
  }

  private mutating func reserveUnbounded() -> String? {
    let (avs, bytes) = (anyAVS(), Int.random(in: 0...12, using: &dice))
    queue.reserveUnbounded(avs: avs, byteCount: bytes)
    model.reserveUnbounded(avs: avs, byteCount: bytes)
    return nil
  }

  private mutating func fill() -> String? {
    guard let index = model.reservations.indices.randomElement(using: &dice) else { return nil }
    let (avs, bytes) = model.takeReservation(at: index)
    let entry = newEntry(avs: avs, bytes: bytes)
    let (mine, theirs) = (queue.fillReservation(with: entry)?.displaced, model.fill(entry))
    if theirs != nil { displaced += 1 }
    return mine?.id == theirs?.id ? nil : "\(show(entry)) displaced \(show(mine)), the model says \(show(theirs))"
  }

  private mutating func cancel() -> String? {
    guard let index = model.reservations.indices.randomElement(using: &dice) else { return nil }
    let (avs, bytes) = model.cancel(at: index)
    queue.cancelReservation(avs: avs, byteCount: bytes)
    return nil
  }

  private mutating func enqueueAgain() -> String? {
    let entry = newEntry(avs: anyAVS(), bytes: Int.random(in: 0...12, using: &dice))
    queue.enqueueUnbounded(entry)
    model.insert(entry)
    return nil
  }

  private mutating func remove() -> String? {
    guard let index = model.waiting.indices.randomElement(using: &dice) else { return nil }
    let entry = model.waiting[index]
    // Somebody else's task stays.
    guard queue.remove(entry.id, avs: entry.avs, where: { _ in false }) == nil else { return "\(show(entry)) left unwanted" }
    removed += 1
    let (mine, theirs) = (queue.remove(entry.id, avs: entry.avs), model.remove(at: index))
    return mine?.id == theirs.id ? nil : "remove gave \(show(mine)), the model says \(show(theirs))"
  }

  private mutating func takeNext() -> String? {
    let admitted = Set(Self.avs.filter { _ in Int.random(in: 0..<8, using: &dice) > 0 })
    let mine = queue.next { admitted.contains($0.avs) ? $0.avs : nil }
    let theirs = model.next(admitting: admitted)
    if theirs != nil { left += 1 }
    if let mine, mine.grant != mine.entry.avs { return "next gave \(mine.entry.avs) the grant of \(mine.grant)" }
    return mine?.entry.id == theirs?.id ? nil : "next gave \(show(mine?.entry)), the model says \(show(theirs))"
  }

  private mutating func reconsider() -> String? {
    let avs = anyAVS()
    queue.reconsider(avs)
    model.reconsider(avs)
    return nil
  }

  private mutating func expire() -> String? {
    now += Int64.random(in: 0...40, using: &dice)
    let (mine, theirs) = (queue.removeExpired(now: now), model.removeExpired(now: now))
    expired += theirs.count
    return mine.map(\.id) == theirs.map(\.id)
      ? nil : "removeExpired(\(now)) gave \(mine.map { show($0) }), the model says \(theirs.map { show($0) })"
  }

  private func differenceInDepths() -> String? {
    guard queue.depths == model.depths else { return "depths are \(queue.depths), the model says \(model.depths)" }
    guard queue.count == model.waiting.count, Set(queue.waitingIDs) == Set(model.waiting.map(\.id)) else {
      return "\(queue.count) wait, the model says \(model.waiting.count)"
    }
    for avs in Self.avs where queue.freePlaces(avs: avs) != model.freePlaces(avs: avs) {
      return "\(avs) has \(queue.freePlaces(avs: avs)) free places, the model says \(model.freePlaces(avs: avs))"
    }
    return nil
  }

  private mutating func newEntry(avs: EthereumAddress, bytes: Int) -> QueueScript.Queue.Entry {
    sequence += 1
    return QueueScript.entry("", avs, priority: anyPriority(), deadline: anyDeadline(), sequence: sequence, bytes: bytes)
  }

  private mutating func anyAVS() -> EthereumAddress {
    Self.avs[Int.random(in: Self.avs.indices, using: &dice)]
  }

  private mutating func anyPriority() -> Int { Int.random(in: -1...1, using: &dice) }

  private mutating func anyDeadline() -> Int64 { now + Int64.random(in: 0...200, using: &dice) }

  private func show(_ entry: QueueScript.Queue.Entry?) -> String {
    entry.map { "#\($0.sequence) of \($0.avs)" } ?? "nothing"
  }
}
