import PonosCore
import Testing

/// Short names for queues whose entries carry the letter they were put in under.
struct QueueScript {
  typealias Queue = TaskQueueStateMachine<String>

  static let roomy = Queue.Limits(perAVS: 100, total: 1000, bytes: 1 << 20)
  static let avsA = avs(0xa)
  static let avsB = avs(0xb)
  static let avsC = avs(0xc)

  static func avs(_ number: UInt8) -> EthereumAddress {
    EthereumAddress(unchecked: Array(repeating: number, count: 20))
  }

  /// An entry whose sequence also makes its id.
  static func entry(
    _ content: String, _ avs: EthereumAddress = avsA, priority: Int = 0, deadline: Int64 = 1000, sequence: Int64,
    bytes: Int = 1
  ) -> Queue.Entry {
    var id = [UInt8](repeating: 0, count: 32)
    for index in 0..<8 { id[31 - index] = UInt8(truncatingIfNeeded: sequence >> (8 * Int64(index))) }
    return Queue.Entry(
      id: TaskID(unchecked: id), avs: avs, priority: priority, deadline: deadline, sequence: sequence, byteCount: bytes,
      content: content)
  }

  /// Takes out all that may leave, in order.
  static func drain(_ queue: inout Queue, admitting admitted: (EthereumAddress) -> Bool = { _ in true }) -> [String] {
    var order: [String] = []
    while let (entry, _) = queue.next(admit: { admitted($0.avs) ? () : nil }) { order.append(entry.content) }
    return order
  }
}

@Suite("Task queue, by example")
struct TaskQueueTableTests {
  typealias Script = QueueScript

  @Test("an empty queue gives nothing")
  func emptyQueueGivesNothing() {
    var queue = Script.Queue(limits: Script.roomy)
    #expect(Script.drain(&queue).isEmpty)
    #expect(queue.count == 0)
    #expect(queue.depths.isEmpty)
    #expect(queue.removeExpired(now: .max).isEmpty)
  }

  @Test("within an AVS: priority, then deadline, then order of acceptance")
  func withinAVSPriority() {
    var queue = Script.Queue(limits: Script.roomy)
    queue.enqueueUnbounded(Script.entry("late", deadline: 300, sequence: 1))
    queue.enqueueUnbounded(Script.entry("second", deadline: 100, sequence: 3))
    queue.enqueueUnbounded(Script.entry("urgent", priority: 5, deadline: 900, sequence: 9))
    queue.enqueueUnbounded(Script.entry("first", deadline: 100, sequence: 2))
    queue.enqueueUnbounded(Script.entry("idle", priority: -1, deadline: 1, sequence: 0))
    #expect(Script.drain(&queue) == ["urgent", "first", "second", "late", "idle"])
  }

  @Test("AVSs take turns, whatever their priorities and numbers")
  func avssTakeTurns() {
    var queue = Script.Queue(limits: Script.roomy)
    for number in 1...4 { queue.enqueueUnbounded(Script.entry("a\(number)", priority: 9, sequence: Int64(number))) }
    queue.enqueueUnbounded(Script.entry("b1", Script.avsB, sequence: 5))
    for number in 1...2 {
      queue.enqueueUnbounded(Script.entry("c\(number)", Script.avsC, sequence: Int64(5 + number)))
    }
    #expect(Script.drain(&queue) == ["a1", "b1", "c1", "a2", "c2", "a3", "a4"])
  }

  @Test("an AVS that cannot run is passed over and keeps its turn")
  func avsThatCannotRunIsPassedOverAndKeepsItsTurn() {
    var queue = Script.Queue(limits: Script.roomy)
    for (content, avs) in [("a1", Script.avsA), ("b1", Script.avsB), ("a2", Script.avsA), ("b2", Script.avsB)] {
      queue.enqueueUnbounded(Script.entry(content, avs, sequence: Int64(queue.count)))
    }
    #expect(Script.drain(&queue, admitting: { $0 == Script.avsB }) == ["b1", "b2"])
    #expect(queue.depths == [Script.avsA: 2])
    queue.enqueueUnbounded(Script.entry("b3", Script.avsB, sequence: 9))
    queue.reconsider(Script.avsA)
    #expect(Script.drain(&queue) == ["a1", "b3", "a2"])
  }

  @Test("an AVS that could not run is not asked again until something has changed for it, or another task of its comes first")
  func avsThatCouldNotRunIsNotAskedAgainUntilSomething() {
    var queue = Script.Queue(limits: Script.roomy)
    queue.enqueueUnbounded(Script.entry("a2", sequence: 2))
    var asked: [String] = []
    func ask() {
      _ = queue.next { entry -> Int? in
        asked.append(entry.content); return nil
      }
    }
    ask()
    ask()
    #expect(asked == ["a2"])
    queue.enqueueUnbounded(Script.entry("a3", sequence: 3))
    ask()
    #expect(asked == ["a2"], "a task behind the first changes nothing")
    queue.enqueueUnbounded(Script.entry("a1", priority: 1, sequence: 4))
    ask()
    #expect(asked == ["a2", "a1"])
    queue.reconsider(Script.avsB)
    ask()
    #expect(asked == ["a2", "a1"])
    queue.reconsider(Script.avsA)
    ask()
    #expect(asked == ["a2", "a1", "a1"])
    #expect(queue.removeExpired(now: 1000).count == 3)
    queue.reconsider(Script.avsA)
    queue.enqueueUnbounded(Script.entry("a4", deadline: 2000, sequence: 5))
    #expect(Script.drain(&queue) == ["a4"])
  }

  @Test("AVSs share the turns by weight, in small steps")
  func avssShareTurnsByWeight() {
    var queue = Script.Queue(limits: Script.roomy, weights: [Script.avsA: 3, Script.avsB: 1])
    for number in 1...12 {
      queue.enqueueUnbounded(Script.entry("a", sequence: Int64(number)))
      queue.enqueueUnbounded(Script.entry("b", Script.avsB, sequence: Int64(100 + number)))
    }
    let order = Script.drain(&queue)
    for end in stride(from: 4, through: 16, by: 4) {
      #expect(order.prefix(end).count { $0 == "a" } == end * 3 / 4, "after \(end) tasks: \(order.prefix(end))")
    }
  }

  @Test("an AVS that comes back saves up no turns, and one that comes and goes gains none", arguments: [1, 5])
  func avsThatComesBackSavesUpNoTurns(weight: Int) {
    var queue = Script.Queue(limits: Script.roomy, weights: [Script.avsB: weight])
    for number in 1...40 { queue.enqueueUnbounded(Script.entry("a", sequence: Int64(number))) }
    var sequence: Int64 = 100
    func next() -> String? { queue.next { _ in () }?.entry.content }
    for _ in 1...20 { #expect(next() == "a") }
    // B was away for twenty turns, and now always has one task.
    var order: [String] = []
    for _ in 1...18 {
      if queue.depths[Script.avsB] == nil {
        sequence += 1
        queue.enqueueUnbounded(Script.entry("b", Script.avsB, sequence: sequence))
      }
      if let content = next() { order.append(content) }
    }
    let own = order.count { $0 == "b" }
    #expect((18 * weight / (weight + 1) - 1...18 * weight / (weight + 1) + 1).contains(own), "\(order)")
  }

  @Test("free places go by the number of tasks, whichever bound is nearer")
  func freePlacesGoByNumberOfTasks() {
    var queue = Script.Queue(limits: .init(perAVS: 2, total: 3, bytes: 100))
    #expect(queue.freePlaces(avs: Script.avsA) == 2)
    #expect(queue.reserve(avs: Script.avsA, byteCount: 1) == nil)
    #expect(queue.freePlaces(avs: Script.avsA) == 1)
    #expect(queue.freePlaces(avs: Script.avsB) == 2)
    #expect(queue.reserve(avs: Script.avsB, byteCount: 1) == nil)
    #expect(queue.freePlaces(avs: Script.avsB) == 1)
    for number in 1...5 { queue.enqueueUnbounded(Script.entry("", sequence: Int64(number))) }
    #expect(queue.freePlaces(avs: Script.avsA) == 0)
    #expect(queue.freePlaces(avs: Script.avsC) == 0)
  }

  @Test("free places go by the bytes left as well, as many as are likely to fit")
  func freePlacesByBytes() {
    var queue = Script.Queue(
      limits: .init(perAVS: 1000, total: 1000, bytes: 2000, bytesPerAVS: 800, guaranteedBytes: 200, expectedBytes: 100))
    #expect(queue.freePlaces(avs: Script.avsA) == 8, "before any has come, as many of the largest")
    for _ in 1...60 { #expect(queue.reserve(avs: Script.avsA, byteCount: 1) == nil) }
    #expect((40...100).contains(queue.freePlaces(avs: Script.avsA)), "small ones let more of them in")
    #expect(queue.freePlaces(avs: Script.avsB) == 8, "and say nothing of another AVS's")
    #expect(queue.reserve(avs: Script.avsA, byteCount: 200) == nil)
    #expect(queue.freePlaces(avs: Script.avsA) == (800 - 260) / 200, "a large one counts at once")
    // Whatever the others take: an AVS has what is guaranteed to it.
    for number in 1...20 { queue.enqueueUnbounded(Script.entry("", Script.avsB, sequence: Int64(number), bytes: 100)) }
    #expect(queue.freePlaces(avs: Script.avsA) == 0 && queue.freePlaces(avs: Script.avsC) == 2)
  }

  @Test("asks for the first task of each waiting AVS, once, and hands on what it was granted")
  func asksForFirstTaskOfEachWaitingAVS() throws {
    var queue = Script.Queue(limits: Script.roomy)
    queue.enqueueUnbounded(Script.entry("a1", sequence: 1))
    queue.enqueueUnbounded(Script.entry("b1", Script.avsB, sequence: 2))
    queue.enqueueUnbounded(Script.entry("b2", Script.avsB, sequence: 3))
    var asked: [String] = []
    let taken = queue.next { entry -> Int? in
      asked.append(entry.content)
      return entry.avs == Script.avsB ? 42 : nil
    }
    #expect(asked == ["a1", "b1"])
    #expect(try #require(taken).entry.content == "b1")
    #expect(try #require(taken).grant == 42)
  }

  @Test("an AVS's own limit counts waiting and reserved places, and leaves others alone")
  func avssOwnLimitCountsWaitingAndReservedPlaces() {
    var queue = Script.Queue(limits: .init(perAVS: 2, total: 100, bytes: 1000))
    #expect(queue.reserve(avs: Script.avsA, byteCount: 1) == nil)
    queue.fillReservation(with: Script.entry("a1", sequence: 1))
    #expect(queue.reserve(avs: Script.avsA, byteCount: 1) == nil)
    #expect(queue.reserve(avs: Script.avsA, byteCount: 1) != nil)
    #expect(queue.reserve(avs: Script.avsB, byteCount: 1) == nil)
    #expect(Script.drain(&queue) == ["a1"])
    #expect(queue.reserve(avs: Script.avsA, byteCount: 1) == nil)
    #expect(queue.reserve(avs: Script.avsA, byteCount: 1) != nil)
  }

  @Test("the limit of all AVSs together")
  func limitOfAllAVSsTogether() {
    var queue = Script.Queue(limits: .init(perAVS: 100, total: 3, bytes: 1000))
    for avs in [Script.avsA, Script.avsB, Script.avsC] { #expect(queue.reserve(avs: avs, byteCount: 1) == nil) }
    #expect(queue.reserve(avs: Script.avs(0xd), byteCount: 1) != nil)
    queue.cancelReservation(avs: Script.avsB, byteCount: 1)
    #expect(queue.reserve(avs: Script.avs(0xd), byteCount: 1) == nil)
    #expect(queue.reserve(avs: Script.avsA, byteCount: 1) != nil)
  }

  @Test("the limit of memory, to the byte")
  func limitOfMemory() {
    var queue = Script.Queue(limits: .init(perAVS: 100, total: 100, bytes: 10))
    #expect(queue.reserve(avs: Script.avsA, byteCount: 11) != nil)
    #expect(queue.reserve(avs: Script.avsA, byteCount: 7) == nil)
    #expect(queue.reserve(avs: Script.avsB, byteCount: 4) != nil)
    #expect(queue.reserve(avs: Script.avsB, byteCount: 3) == nil)
    #expect(queue.reserve(avs: Script.avsB, byteCount: 1) != nil)
    #expect(queue.reserve(avs: Script.avsB, byteCount: 0) == nil)
    queue.fillReservation(with: Script.entry("a1", sequence: 1, bytes: 7))
    #expect(Script.drain(&queue) == ["a1"])
    #expect(queue.reserve(avs: Script.avsC, byteCount: 7) == nil)
  }

  @Test("each bound is named, and one AVS's payloads leave room for others'")
  func eachBoundIsNamed() {
    var queue = Script.Queue(limits: .init(perAVS: 2, total: 3, bytes: 10, bytesPerAVS: 5))
    #expect(queue.reserve(avs: Script.avsA, byteCount: 6) == .bytesOfAVS)
    #expect(queue.reserve(avs: Script.avsA, byteCount: 5) == nil)
    #expect(queue.reserve(avs: Script.avsA, byteCount: 1) == .bytesOfAVS)
    #expect(queue.reserve(avs: Script.avsA, byteCount: 0) == nil)
    #expect(queue.reserve(avs: Script.avsA, byteCount: 0) == .tasksOfAVS)
    #expect(queue.reserve(avs: Script.avsB, byteCount: 5) == nil)
    #expect(queue.reserve(avs: Script.avsC, byteCount: 1) == .tasks)
    queue.cancelReservation(avs: Script.avsA, byteCount: 0)
    #expect(queue.reserve(avs: Script.avsC, byteCount: 1) == .bytes)
  }

  @Test("what was accepted before comes back beyond every limit, and counts")
  func whatWasAcceptedBeforeComesBackBeyondEveryLimit() {
    var queue = Script.Queue(limits: .init(perAVS: 1, total: 1, bytes: 1))
    for number in 1...3 { queue.enqueueUnbounded(Script.entry("\(number)", sequence: Int64(number), bytes: 5)) }
    #expect(queue.count == 3)
    #expect(queue.reserve(avs: Script.avsB, byteCount: 0) != nil)
    #expect(Script.drain(&queue) == ["1", "2", "3"])
    #expect(queue.reserve(avs: Script.avsB, byteCount: 1) == nil)
  }

  @Test("giving back a place that was not reserved changes nothing")
  func givingBackPlaceThatWasNotReservedChangesNothing() {
    var queue = Script.Queue(limits: .init(perAVS: 1, total: 1, bytes: 10))
    queue.cancelReservation(avs: Script.avsA, byteCount: 5)
    #expect(queue.reserve(avs: Script.avsA, byteCount: 10) == nil)
    queue.cancelReservation(avs: Script.avsB, byteCount: 10)
    #expect(queue.reserve(avs: Script.avsB, byteCount: 0) != nil)
  }

  @Test("expired tasks leave in the order of acceptance, from all AVSs, and free their places")
  func expiredTasksLeaveInOrderOfAcceptance() {
    var queue = Script.Queue(limits: .init(perAVS: 2, total: 4, bytes: 4))
    queue.enqueueUnbounded(Script.entry("b-old", Script.avsB, deadline: 20, sequence: 1))
    queue.enqueueUnbounded(Script.entry("a-old", priority: -3, deadline: 10, sequence: 2))
    queue.enqueueUnbounded(Script.entry("a-new", deadline: 21, sequence: 3))
    queue.enqueueUnbounded(Script.entry("c-new", Script.avsC, deadline: 50, sequence: 4))
    #expect(queue.removeExpired(now: 9).isEmpty)
    #expect(queue.removeExpired(now: 20).map(\.content) == ["b-old", "a-old"])
    #expect(queue.removeExpired(now: 20).isEmpty)
    #expect(queue.depths == [Script.avsA: 1, Script.avsC: 1])
    #expect(queue.reserve(avs: Script.avsA, byteCount: 1) == nil)
    #expect(queue.reserve(avs: Script.avsA, byteCount: 1) != nil)
    #expect(queue.removeExpired(now: 21).map(\.content) == ["a-new"])
    #expect(Script.drain(&queue) == ["c-new"])
  }

  @Test("a task that comes after a sweep with an earlier deadline is still found by the next")
  func expiryOfLateComers() {
    var queue = Script.Queue(limits: Script.roomy)
    queue.enqueueUnbounded(Script.entry("long", deadline: 900, sequence: 1))
    #expect(queue.removeExpired(now: 100).isEmpty)
    queue.enqueueUnbounded(Script.entry("short", deadline: 50, sequence: 2))
    #expect(queue.removeExpired(now: 100).map(\.content) == ["short"])
    #expect(queue.count == 1)
  }

  @Test(
    "an AVS gets the places guaranteed to it, however full the queue is, and no more then",
    arguments: OverflowPolicy.allCases)
  func avsGetsPlacesGuaranteedToIt(overflow: OverflowPolicy) {
    // Five AVSs with a fifth each; four of them could fill the queue.
    var queue = Script.Queue(
      limits: .init(perAVS: 5, total: 20, bytes: 1000, guaranteed: 4, guaranteedBytes: 200, overflow: overflow))
    let all = (1...5).map { Script.avs($0) }
    for avs in all.prefix(4) {
      for _ in 0..<5 { #expect(queue.reserve(avs: avs, byteCount: 1) == nil) }
    }
    #expect(queue.freePlaces(avs: all[0]) == 0)
    #expect(queue.freePlaces(avs: all[4]) == 4)
    for _ in 0..<4 { #expect(queue.reserve(avs: all[4], byteCount: 1) == nil) }
    #expect(queue.freePlaces(avs: all[4]) == 0)
    #expect(queue.reserve(avs: all[4], byteCount: 1) == .tasks)
    // Of the places beyond the total none comes back until the queue is no longer full.
    queue.cancelReservation(avs: all[0], byteCount: 1)
    #expect(queue.reserve(avs: all[0], byteCount: 1) == .tasks)
    for avs in all[0...3] { queue.cancelReservation(avs: avs, byteCount: 1) }
    #expect(queue.reserve(avs: all[0], byteCount: 1) == nil)
  }

  @Test("likewise for the bytes guaranteed to it")
  func likewiseForBytesGuaranteedToIt() {
    var queue = Script.Queue(limits: .init(perAVS: 10, total: 100, bytes: 100, guaranteed: 1, guaranteedBytes: 20))
    #expect(queue.reserve(avs: Script.avsA, byteCount: 100) == nil)
    #expect(queue.reserve(avs: Script.avsA, byteCount: 1) == .bytes)
    #expect(queue.reserve(avs: Script.avsB, byteCount: 15) == nil)
    #expect(queue.reserve(avs: Script.avsB, byteCount: 6) == .bytes)
    #expect(queue.reserve(avs: Script.avsB, byteCount: 5) == nil)
  }
}
