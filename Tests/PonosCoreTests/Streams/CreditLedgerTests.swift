import PonosCore
import Testing

@Suite struct CreditLedgerTests {
  private let a = EthereumAddress(unchecked: [UInt8](repeating: 1, count: 20))
  private let b = EthereumAddress(unchecked: [UInt8](repeating: 2, count: 20))

  @Test func sessionsOfAnAVSShareItsPlaces() {
    var ledger = CreditLedger()
    #expect(ledger.take(upTo: 6, avs: a, free: 10) == 6)
    #expect(ledger.take(upTo: 6, avs: a, free: 10) == 4)
    #expect(ledger.take(upTo: 6, avs: a, free: 10) == 0)
    #expect(ledger.take(upTo: 6, avs: b, free: 3) == 3)
    ledger.giveBack(5, avs: a)
    #expect(ledger.held(by: a) == 5)
    // Places fell while credit was out.
    #expect(ledger.take(upTo: 6, avs: a, free: 2) == 0)
    #expect(ledger.take(upTo: 6, avs: a, free: 7) == 2)
    ledger.giveBack(100, avs: a)
    #expect(ledger.held(by: a) == 0 && ledger.held(by: b) == 3)
  }
}
