import Testing

@testable import PonosCore

@Suite("Waiting line")
struct WaitingLineTests {
  @Test("taken from three sides at random, it always gives what a sorted list would", arguments: SeededGenerator.seeds)
  func takenFromThreeSidesAtRandom(seed: UInt64) {
    var dice = SeededGenerator(seed: seed)
    var line = WaitingLine<String>()
    var list: [QueueEntry<String>] = []
    for step in 0..<4000 {
      switch Int.random(in: 0..<(step < 2000 ? 12 : 7), using: &dice) {
      case 0, 1:
        let best = list.min { rank($0) < rank($1) }
        #expect(line.removeFirst()?.sequence == best?.sequence)
        list.removeAll { $0.sequence == best?.sequence }
      case 2:
        let worst = list.max { rank($0) < rank($1) }
        #expect(line.removeLast()?.sequence == worst?.sequence)
        list.removeAll { $0.sequence == worst?.sequence }
      case 3:
        let nearest = list.min { ($0.deadline, $0.sequence) < ($1.deadline, $1.sequence) }
        #expect(line.removeNearestToExpiry()?.sequence == nearest?.sequence)
        list.removeAll { $0.sequence == nearest?.sequence }
      case 4:
        guard let wanted = list.randomElement(using: &dice) else { continue }
        #expect(line.remove(wanted.id) { _ in false } == nil)
        #expect(line.remove(wanted.id) { _ in true }?.sequence == wanted.sequence)
        #expect(line.remove(wanted.id) { _ in true } == nil)
        list.removeAll { $0.sequence == wanted.sequence }
      default:
        let entry = QueueScript.entry(
          "", priority: Int.random(in: 0...3, using: &dice), deadline: Int64.random(in: 0...20, using: &dice),
          sequence: Int64(step))
        list.append(entry)
        let isFirst = list.min { rank($0) < rank($1) }?.sequence == entry.sequence
        #expect(line.insert(entry) == isFirst)
      }
      #expect(line.count == list.count)
    }
    #expect(Set(line.entries.map(\.sequence)) == Set(list.map(\.sequence)))
  }

  private func rank(_ entry: QueueEntry<String>) -> (Int, Int64, Int64) {
    (-entry.priority, entry.deadline, entry.sequence)
  }
}
