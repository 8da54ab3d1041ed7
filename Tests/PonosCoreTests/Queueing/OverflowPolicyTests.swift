import PonosCore
import Testing

@Suite("Overflow of the task queue")
struct OverflowPolicyTests {
  typealias Script = QueueScript

  private func queue(_ overflow: OverflowPolicy, perAVS: Int = 2, bytes: Int = 100) -> Script.Queue {
    Script.Queue(limits: .init(perAVS: perAVS, total: 3, bytes: bytes, overflow: overflow))
  }

  private enum Answer: Equatable {
    case taken
    case refused(QueueBound)
    /// Taken in place of another task.
    case displacing(String)
  }

  /// Reserves a place and fills it.
  private func put(_ entry: Script.Queue.Entry, into queue: inout Script.Queue) -> Answer {
    let bound = queue.reserve(
      avs: entry.avs, byteCount: entry.byteCount, priority: entry.priority, deadline: entry.deadline)
    if let bound { return .refused(bound) }
    return queue.fillReservation(with: entry).map { .displacing($0.displaced.content) } ?? .taken
  }

  @Test("by default the newcomer is refused, however important it is")
  func byDefaultNewcomerIsRefused() {
    var queue = queue(.rejectNewest)
    for number in 1...2 { #expect(put(Script.entry("\(number)", sequence: Int64(number)), into: &queue) == .taken) }
    #expect(put(Script.entry("3", priority: 9, sequence: 3), into: &queue) == .refused(.tasksOfAVS))
    #expect(Script.drain(&queue) == ["1", "2"])
  }

  @Test("the task that would leave last makes room for one of higher priority, and for no other")
  func taskThatWouldLeaveLastMakesRoomForOneOfHigher() {
    var queue = queue(.dropLowestPriority)
    _ = put(Script.entry("low, early", priority: 1, deadline: 10, sequence: 1), into: &queue)
    _ = put(Script.entry("low, late", priority: 1, deadline: 20, sequence: 2), into: &queue)
    #expect(put(Script.entry("lower", priority: 0, sequence: 3), into: &queue) == .refused(.tasksOfAVS))
    #expect(put(Script.entry("equal", priority: 1, deadline: 1, sequence: 4), into: &queue) == .refused(.tasksOfAVS))
    #expect(put(Script.entry("high", priority: 2, sequence: 5), into: &queue) == .displacing("low, late"))
    #expect(put(Script.entry("higher", priority: 3, sequence: 6), into: &queue) == .displacing("low, early"))
    #expect(put(Script.entry("high again", priority: 2, sequence: 7), into: &queue) == .refused(.tasksOfAVS))
    #expect(Script.drain(&queue) == ["higher", "high"])
  }

  @Test("the task whose time ends first makes room for one that has longer")
  func dropNearestToExpiry() {
    var queue = queue(.dropNearestToExpiry)
    _ = put(Script.entry("urgent", priority: 9, deadline: 10, sequence: 1), into: &queue)
    _ = put(Script.entry("long", deadline: 30, sequence: 2), into: &queue)
    #expect(put(Script.entry("shorter", deadline: 10, sequence: 3), into: &queue) == .refused(.tasksOfAVS))
    #expect(put(Script.entry("longer", deadline: 20, sequence: 4), into: &queue) == .displacing("urgent"))
    #expect(Script.drain(&queue) == ["longer", "long"])
  }

  @Test("one AVS's tasks never make room for another's", arguments: [OverflowPolicy.dropLowestPriority, .dropNearestToExpiry])
  func othersAreLeftAlone(overflow: OverflowPolicy) {
    var queue = queue(overflow)
    for number in 1...2 { _ = put(Script.entry("a\(number)", deadline: 5, sequence: Int64(number)), into: &queue) }
    _ = put(Script.entry("b1", Script.avsB, deadline: 5, sequence: 3), into: &queue)
    let best = Script.entry("c", Script.avsC, priority: 9, deadline: 99, sequence: 4)
    #expect(put(best, into: &queue) == .refused(.tasks))
    let better = Script.entry("b2", Script.avsB, priority: 9, deadline: 99, sequence: 5)
    #expect(put(better, into: &queue) == .displacing("b1"))
    #expect(Script.drain(&queue) == ["a1", "b2", "a2"])
  }

  @Test("a newcomer displaces one task at the most, even if its payload needs the room of two")
  func newcomerDisplacesOneTaskAtMost() {
    var queue = queue(.dropLowestPriority, bytes: 10)
    for number in 1...2 { _ = put(Script.entry("\(number)", sequence: Int64(number), bytes: 4), into: &queue) }
    #expect(put(Script.entry("large", priority: 1, sequence: 3, bytes: 7), into: &queue) == .refused(.tasksOfAVS))
    #expect(put(Script.entry("fits", priority: 1, sequence: 4, bytes: 6), into: &queue) == .displacing("2"))
    #expect(Script.drain(&queue) == ["fits", "1"])
  }

  @Test("a place given back, or room that comes meanwhile, displaces nothing")
  func placeGivenBack() {
    var queue = queue(.dropLowestPriority)
    for number in 1...2 { _ = put(Script.entry("\(number)", sequence: Int64(number)), into: &queue) }
    #expect(queue.reserve(avs: Script.avsA, byteCount: 1, priority: 1) == nil)
    queue.cancelReservation(avs: Script.avsA, byteCount: 1)
    #expect(queue.count == 2)
    #expect(queue.reserve(avs: Script.avsA, byteCount: 1, priority: 1) == nil)
    _ = queue.next { _ in () }
    #expect(queue.fillReservation(with: Script.entry("3", priority: 1, sequence: 3))?.displaced.content == nil)
    #expect(Script.drain(&queue) == ["3", "2"])
  }

  @Test("many newcomers at once displace one task each, and no more than there are")
  func manyNewcomersAtOnceDisplaceOneTaskEach() {
    var queue = queue(.dropLowestPriority)
    for number in 1...2 { _ = put(Script.entry("\(number)", sequence: Int64(number)), into: &queue) }
    for _ in 1...2 { #expect(queue.reserve(avs: Script.avsA, byteCount: 1, priority: 1) == nil) }
    #expect(queue.reserve(avs: Script.avsA, byteCount: 1, priority: 1) == .tasksOfAVS)
    #expect(queue.fillReservation(with: Script.entry("3", priority: 1, sequence: 3))?.displaced.content == "2")
    #expect(queue.fillReservation(with: Script.entry("4", priority: 1, sequence: 4))?.displaced.content == "1")
    #expect(Script.drain(&queue) == ["3", "4"])
  }

  @Test("a newcomer that is overtaken by better ones is displaced itself")
  func newcomerThatIsOvertakenByBetterOnesIsDisplaced() {
    var queue = queue(.dropLowestPriority)
    for number in 1...2 { _ = put(Script.entry("\(number)", sequence: Int64(number)), into: &queue) }
    #expect(queue.reserve(avs: Script.avsA, byteCount: 1, priority: 1) == nil)
    for number in 3...4 {
      _ = put(Script.entry("\(number)", priority: 5, sequence: Int64(number)), into: &queue)
    }
    #expect(queue.fillReservation(with: Script.entry("late", priority: 1, sequence: 9))?.displaced.content == "late")
    #expect(Script.drain(&queue) == ["3", "4"])
  }

  @Test("tasks that came back beyond the limit after a restart are not cleared away, only exchanged one for one")
  func tasksThatCameBackBeyondLimitAfterRestart() {
    var queue = queue(.dropLowestPriority)
    for number in 1...5 { queue.enqueueUnbounded(Script.entry("\(number)", sequence: Int64(number))) }
    #expect(put(Script.entry("6", priority: 1, sequence: 6), into: &queue) == .displacing("5"))
    #expect(Script.drain(&queue) == ["6", "1", "2", "3", "4"])
  }
}
