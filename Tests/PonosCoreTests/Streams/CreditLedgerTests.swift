import PonosCore
import Testing

@Suite struct CreditLedgerTests {
  private let a = EthereumAddress(unchecked: [UInt8](repeating: 1, count: 20))
  private let b = EthereumAddress(unchecked: [UInt8](repeating: 2, count: 20))

  private func room(_ ofAVS: Int, of total: Int = 1000) -> QueueRoom { QueueRoom(ofAVS: ofAVS, total: total) }

  @Test func sessionsOfAnAVSShareItsPlaces() {
    var ledger = CreditLedger()
    #expect(ledger.take(upTo: 6, avs: a, own: 0, room: room(10)) == 6)
    #expect(ledger.take(upTo: 6, avs: a, own: 0, room: room(10)) == 4)
    #expect(ledger.take(upTo: 6, avs: a, own: 4, room: room(10)) == 0)
    #expect(ledger.take(upTo: 6, avs: b, own: 0, room: room(3)) == 3)
    ledger.giveBack(5, avs: a)
    #expect(ledger.held(by: a) == 5)
    // Places fell while credit was out.
    #expect(ledger.take(upTo: 6, avs: a, own: 0, room: room(2)) == 0)
    #expect(ledger.take(upTo: 6, avs: a, own: 0, room: room(7)) == 2)
    ledger.giveBack(100, avs: a)
    #expect(ledger.held(by: a) == 0 && ledger.held(by: b) == 3)
  }

  @Test func idleSessionsLeaveEveryOtherAggregatorItsPart() {
    var ledger = CreditLedger(aggregators: [a: 5, b: 5])
    var grants: [Int] = []
    for _ in 1...5 {
      // Asks again and again, and uses nothing.
      var own = 0
      for _ in 1...10 { own += ledger.take(upTo: 1024, avs: a, own: own, room: room(4096, of: 8192)) }
      grants.append(own)
    }
    #expect(grants == [819, 819, 819, 819, 819])
    #expect(ledger.take(upTo: 1024, avs: b, own: 0, room: room(4096, of: 8192)) == 819)
  }

  @Test func allAVSsTogetherArePromisedNoMoreThanThereIs() {
    var ledger = CreditLedger(aggregators: [a: 1, b: 1])
    #expect(ledger.take(upTo: 100, avs: a, own: 0, room: room(80, of: 100)) == 50)
    #expect(ledger.take(upTo: 100, avs: b, own: 0, room: room(80, of: 100)) == 50)
    #expect(ledger.take(upTo: 100, avs: a, own: 0, room: room(80, of: 100)) == 0)
    ledger.giveBack(20, avs: b)
    #expect(ledger.take(upTo: 100, avs: a, own: 45, room: room(80, of: 100)) == 5)
  }

  /// One AVS sends small tasks and holds much credit; another one, of which nothing is known, is thought to send large ones.
  @Test func creditForSmallTasksLeavesAnAVSOfLargeOnesItsPart() {
    var ledger = CreditLedger(aggregators: [a: 1, b: 1])
    let small = QueueRoom(ofAVS: 4096, total: 8192, fittingOfAVS: 100_000, fittingTotal: 400_000)
    let large = QueueRoom(ofAVS: 4096, total: 8192, fittingOfAVS: 32, fittingTotal: 128)
    #expect(ledger.take(upTo: 1024, avs: a, own: 0, room: small) == 1024)
    #expect(ledger.take(upTo: 1024, avs: b, own: 0, room: large) == 32)
    #expect(ledger.take(upTo: 1024, avs: b, own: 32, room: large) == 0)
    // Within one AVS as well: the aggregator that was first does not keep the second one out.
    var shared = CreditLedger(aggregators: [a: 2])
    #expect(shared.take(upTo: 1024, avs: a, own: 0, room: small) == 1024)
    #expect(
      shared.take(upTo: 1024, avs: a, own: 0, room: QueueRoom(ofAVS: 3072, total: 7168, fittingOfAVS: 31, fittingTotal: 127))
        == 15)
    // No room for a single one: no credit until there is.
    #expect(shared.take(upTo: 1024, avs: a, own: 15, room: QueueRoom(ofAVS: 9, total: 9, fittingOfAVS: 0, fittingTotal: 9)) == 0)
  }

  @Test func thereIsOneForEverybodyWhileThereIsAPlace() {
    var ledger = CreditLedger(aggregators: [a: 9])
    #expect((1...4).map { _ in ledger.take(upTo: 8, avs: a, own: 0, room: room(3)) } == [1, 1, 1, 0])
  }
}
