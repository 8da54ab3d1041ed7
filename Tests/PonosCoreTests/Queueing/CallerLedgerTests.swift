import PonosCore
import Testing

@Suite("Memory of waiting callers")
struct CallerLedgerTests {
  private let a = EthereumAddress(unchecked: [UInt8](repeating: 1, count: 20))
  private let b = EthereumAddress(unchecked: [UInt8](repeating: 2, count: 20))

  @Test("an AVS has a quarter of it, whatever the others leave")
  func avsHasQuarterOfIt() {
    var ledger = CallerLedger(limit: 400)
    let taken = [(60, a), (41, a), (40, a), (100, b)].map { ledger.take($0.0, avs: $0.1) }
    #expect(taken == [true, false, true, true])
    ledger.giveBack(50, avs: a)
    let again = [50, 1].map { ledger.take($0, avs: a) }
    #expect(again == [true, false])
    ledger.giveBack(100, avs: a)
    #expect(ledger.held(by: a) == 0 && ledger.held(by: b) == 100)
  }

  @Test("all together have no more than the whole")
  func allTogetherHaveNoMoreThanWhole() {
    var ledger = CallerLedger(limit: 400)
    let others = (3..<8).map { EthereumAddress(unchecked: [UInt8](repeating: $0, count: 20)) }
    let taken = others.map { ledger.take(100, avs: $0) }
    #expect(taken == [true, true, true, true, false])
    ledger.giveBack(100, avs: others[0])
    #expect(ledger.take(100, avs: others[4]) == true)
  }
}
