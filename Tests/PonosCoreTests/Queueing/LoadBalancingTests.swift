import PonosCore
import Testing

@Suite("Load balancing")
struct LoadBalancingTests {
  private func candidates(_ loads: [Int: Int]) -> [LoadBalancing.Candidate] {
    loads.map { LoadBalancing.Candidate(replica: $0.key, outstanding: $0.value) }
  }

  @Test("nobody can be chosen where nobody has room", arguments: LoadBalancing.allCases)
  func nobodyCanBeChosenWhereNobodyHasRoom(balancing: LoadBalancing) {
    #expect(balancing.choose(from: [], after: nil) == nil)
    #expect(balancing.choose(from: [], after: 3) == nil)
  }

  @Test("round robin takes each in turn, passes over those without room, and does not look at loads")
  func roundRobinTakesEachInTurn() {
    var last: Int?
    var order: [Int] = []
    let three = [0: 9, 1: 0, 3: 1]
    for loads in [three, three, three, three, [0: 0, 3: 0], [0: 0, 1: 0]] {
      last = LoadBalancing.roundRobin.choose(from: candidates(loads), after: last)
      order.append(last ?? -1)
    }
    #expect(order == [0, 1, 3, 0, 3, 0])
  }

  @Test("least outstanding takes the idlest, and those alike in turn")
  func leastOutstandingTakesIdlest() {
    let balancing = LoadBalancing.leastOutstanding
    #expect(balancing.choose(from: candidates([0: 2, 1: 1, 2: 3]), after: 1) == 1)
    #expect(balancing.choose(from: candidates([0: 1, 1: 1, 2: 1]), after: nil) == 0)
    #expect(balancing.choose(from: candidates([0: 1, 1: 1, 2: 1]), after: 0) == 1)
    #expect(balancing.choose(from: candidates([0: 1, 1: 1, 2: 1]), after: 2) == 0)
    #expect(balancing.choose(from: candidates([0: 1, 1: 2, 2: 1]), after: 0) == 2)
  }
}
