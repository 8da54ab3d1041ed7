import PonosCore
import Testing

@Suite("Task queue, tasks taken back")
struct QueueRemovalTests {
  typealias Script = QueueScript

  @Test("the task that is wanted leaves, wherever it is in the line, and its place is free")
  func taskThatIsWantedLeaves() {
    var queue = Script.Queue(limits: .init(perAVS: 3, total: 3, bytes: 30))
    for sequence in 1...3 { queue.enqueueUnbounded(Script.entry("\(sequence)", sequence: Int64(sequence), bytes: 10)) }
    #expect(queue.freePlaces(avs: Script.avsA) == 0)
    let second = Script.entry("2", sequence: 2).id
    #expect(queue.remove(second, avs: Script.avsA) { $0.content == "3" }?.content == nil)
    #expect(queue.remove(second, avs: Script.avsA)?.content == "2")
    #expect(queue.remove(second, avs: Script.avsA)?.content == nil)
    #expect(queue.freePlaces(avs: Script.avsA) == 1)
    #expect(queue.reserve(avs: Script.avsA, byteCount: 10) == nil)
    queue.cancelReservation(avs: Script.avsA, byteCount: 10)
    #expect(Script.drain(&queue) == ["1", "3"])
    #expect(queue.count == 0 && queue.depths.isEmpty)
  }

  @Test("of another AVS nothing leaves, and an AVS whose last task left has no turn")
  func ofAnotherAVSNothingLeaves() {
    var queue = Script.Queue(limits: Script.roomy)
    queue.enqueueUnbounded(Script.entry("a", Script.avsA, sequence: 1))
    queue.enqueueUnbounded(Script.entry("b", Script.avsB, sequence: 2))
    let first = Script.entry("a", sequence: 1).id
    #expect(queue.remove(first, avs: Script.avsB)?.content == nil)
    #expect(queue.remove(first, avs: Script.avsC)?.content == nil)
    #expect(queue.remove(first, avs: Script.avsA)?.content == "a")
    #expect(Script.drain(&queue) == ["b"])
    queue.enqueueUnbounded(Script.entry("a again", Script.avsA, sequence: 3))
    #expect(Script.drain(&queue) == ["a again"])
  }
}
