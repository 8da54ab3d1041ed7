import NIOCore
import Testing

@testable import PonosTransport

@Suite("Windows and budgets")
struct BudgetTests {
  @Test("the connection's window is given back, and not while too much is unread")
  func connectionsWindowIsGivenBack() {
    var budget = ConnectionReceiveBudget(limit: 2_000)
    budget.hold(500)
    let roomy = budget.arrived(500)
    budget.hold(1_600)
    budget.messageCompleted()
    let full = budget.arrived(1_600)
    #expect([roomy, full] == [500, 0])
    #expect(!budget.isWedged)
    let read = budget.messageRead(500)
    #expect(read == 1_600)
    budget.hold(1_000)
    #expect(budget.isWedged)
  }

  @Test("messages without content are held against the limit as well")
  func messagesWithoutContentAreHeldAgainstLimitAsWell() {
    var budget = ConnectionReceiveBudget(limit: 2_000)
    for _ in 0..<8 { budget.messageCompleted() }
    let full = budget.arrived(40)
    #expect(full == 0)
    let read = budget.messageRead(0)
    #expect(read == 40)
    for _ in 0..<7 { _ = budget.messageRead(0) }
    #expect(budget.heldBytes == 0)
  }

  @Test("large messages side by side: when all could not be kept, one goes on, and the others follow")
  func largeMessagesSideBySide() {
    var incomplete = IncompleteMessages(limit: 10_000, windowSize: 1_000, maxMessageBytes: 5_000)
    let roomy = incomplete.grew(1, by: 900, held: 900)
    let second = incomplete.grew(3, by: 1_000, held: 1_900)
    #expect([roomy, second] == [900, 1_000])
    let tight = [
      incomplete.grew(5, by: 400, held: 5_000), incomplete.grew(3, by: 500, held: 5_500),
      incomplete.grew(1, by: 500, held: 6_000),
    ]
    #expect(tight == [0, 500, 0])
    let nothing = incomplete.next(held: 5_600)
    #expect(nothing == nil)
    #expect(incomplete.dispensable == 1)
    // The largest is complete, but not read; the next largest goes on.
    let owed = incomplete.ended(3)
    let next = incomplete.next(held: 5_600)
    let noMore = incomplete.next(held: 5_600)
    #expect(owed == 0 && next?.stream == 1 && next?.credit == 500 && noMore == nil)
    // It has been read: there is room for the last.
    let last = incomplete.next(held: 1_000)
    #expect(last?.stream == 5 && last?.credit == 400)
    // The one that goes on stays the one, until it is complete.
    let chosen = incomplete.grew(1, by: 500, held: 4_000)
    let overtaking = incomplete.grew(5, by: 2_000, held: 6_000)
    let goesOn = incomplete.grew(1, by: 100, held: 6_100)
    #expect([chosen, overtaking, goesOn] == [500, 0, 100])
  }

  @Test("a beginning that needs no credit keeps nobody waiting")
  func beginningThatNeedsNoCreditKeepsNobodyWaiting() {
    var incomplete = IncompleteMessages(limit: 10_000, windowSize: 1_000, maxMessageBytes: 5_000)
    let beginning = incomplete.grew(1, by: 499, held: 5_000)
    let needy = incomplete.grew(3, by: 500, held: 5_500)
    #expect([beginning, needy] == [0, 500])
  }

  @Test("as many connections as there are files, with some left over")
  func asManyConnectionsAsThereAreFiles() {
    for (openFiles, connections) in [(1 << 20, 786_432), (1_024, 768), (512, 384), (200, 72), (10, 1)] {
      #expect(ResourceQuota.Limits.connections(openFiles: openFiles) == connections)
    }
  }

  @Test("a writer waits when too much is on its way")
  func writerWaitsWhenTooMuchIsOnItsWay() {
    var budget = SendBudget(limit: 10_000)
    var messages = 0
    while !budget.isExhausted {
      budget.add(1_000)
      messages += 1
    }
    #expect((9...10).contains(messages))
    budget.remove(1_000)
    #expect(!budget.isExhausted)
  }

  @Test("what is counted of a peer's frames: PINGs, resets, other control frames, faults", arguments: FrameBudgetCase.all)
  func whatIsCountedOfPeersFrames(_ budgetCase: FrameBudgetCase) {
    var budgets = FrameBudgets(maxResetsPerSecond: 50)
    let now = NIODeadline.uptimeNanoseconds(1)
    var taken = 0
    while taken < 10_000, budgets.received(type: budgetCase.type, flags: budgetCase.flags, at: now) == nil { taken += 1 }
    #expect(taken == budgetCase.burst)
    // Others are counted by themselves, and time makes room.
    #expect(budgets.received(type: 0, flags: 0, at: now) == nil)
    #expect(budgets.received(type: budgetCase.type, flags: budgetCase.flags, at: now + .seconds(1)) == nil)
  }

  struct FrameBudgetCase: Sendable {
    var type: UInt8
    var flags: UInt8 = 0
    var burst: Int

    static let all = [
      FrameBudgetCase(type: 6, burst: 1_000), FrameBudgetCase(type: 6, flags: 1, burst: 200),
      FrameBudgetCase(type: 3, burst: 50), FrameBudgetCase(type: 4, burst: 200), FrameBudgetCase(type: 2, burst: 200),
      FrameBudgetCase(type: 1, burst: 10_000),
    ]
  }

  @Test("every frame of ours that carries a call entitles the peer to a PING")
  func everyFrameOfOursThatCarriesCallEntitlesPeer() {
    var budgets = FrameBudgets(maxResetsPerSecond: 50)
    let now = NIODeadline.uptimeNanoseconds(1)
    for _ in 0..<5_000 {
      budgets.sent()
      #expect(budgets.received(type: 6, flags: 0, at: now) == nil)
    }
  }

  @Test("parts are read in order, and the end comes last")
  func partsAreReadInOrder() {
    var queue = PartQueue<Int>()
    for round in 0..<10 {
      for number in 0..<100 { queue.append(round * 100 + number) }
      for number in 0..<100 {
        guard case .part(let entry) = queue.read() else { Issue.record("a part is missing"); return }
        #expect(entry.part == round * 100 + number)
      }
      guard case .wait = queue.read() else { Issue.record("more than was put in"); return }
    }
    queue.append(1)
    queue.finish()
    queue.append(2)
    guard case .part = queue.read(), case .end = queue.read() else { Issue.record("the end is wrong"); return }
  }

  @Test("pauses grow to their limit, with a fifth of jitter")
  func pausesGrowToTheirLimit() {
    var backoff = Backoff(initial: .milliseconds(100), maximum: .seconds(1))
    var generator = SystemRandomNumberGenerator()
    for expected in [0.1, 0.16, 0.256, 0.4096, 0.65536, 1, 1] {
      let pause = backoff.next(using: &generator) / .seconds(1)
      #expect(pause >= expected * 0.79 && pause <= expected * 1.21)
    }
    backoff.reset()
    let first = backoff.next(using: &generator)
    #expect(first < .milliseconds(121))
  }
}
