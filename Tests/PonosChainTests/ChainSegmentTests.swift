import PonosCore
import Testing

@testable import PonosChain

@Suite("The newest blocks")
struct ChainSegmentTests {
  private static let contract = TestBlocks.address(7)

  private func segment(_ blocks: ClosedRange<UInt64>, touching: Set<UInt64> = []) -> ChainSegment {
    var segment = ChainSegment()
    for number in blocks {
      segment.append(TestBlocks.block(number, touching: touching.contains(number) ? [Self.contract] : []))
    }
    return segment
  }

  @Test("divide what a contract says into epochs, by the blocks in which it logged")
  func epochs() {
    var segment = segment(101...120, touching: [105, 110])
    #expect([101, 104, 105, 109, 110, 120].map { segment.epoch(of: Self.contract, at: $0) } == [101, 101, 105, 105, 110, 110])
    segment.append(TestBlocks.block(121, touching: [Self.contract]))
    #expect(segment.epoch(of: Self.contract, at: 121) == 121 && segment.epoch(of: Self.contract, at: 120) == 110)
    #expect(segment.epoch(of: TestBlocks.address(8), at: 121) == 101)
  }

  @Test("begin a new epoch now and then, for contracts that change without logging")
  func recheck() {
    var segment = segment(120...130)
    #expect(segment.epoch(of: Self.contract, at: 127) == 120)
    #expect(segment.epoch(of: Self.contract, at: 128) == 128)
  }

  @Test("forget what a reorganisation replaced")
  func reorganisation() {
    var segment = segment(101...110, touching: [108])
    #expect(segment.epoch(of: Self.contract, at: 110) == 108)
    #expect(!segment.isFollowed(by: TestBlocks.block(107, branch: 1, fork: 106)))
    segment.cut(after: 106)
    let replaced = TestBlocks.block(107, branch: 1, fork: 106)
    #expect(segment.isFollowed(by: replaced))
    segment.append(replaced)
    #expect(segment.epoch(of: Self.contract, at: 107) == 101)
    #expect(!segment.contains(TestBlocks.block(107)) && segment.contains(replaced))
  }

  @Test("stay few, and their epochs keep their names")
  func bound() {
    var segment = segment(1...2, touching: [2])
    #expect(segment.epoch(of: Self.contract, at: 2) == 2)
    for number in 3...UInt64(2_000) { segment.append(TestBlocks.block(number)) }
    #expect(segment.first.map { $0.number > 1_200 } == true)
    #expect(segment.header(at: 1_999) == TestBlocks.block(1_999) && segment.header(at: 3) == nil)
    #expect(segment.epoch(of: Self.contract, at: 2_000) == 1_984)
    #expect(segment.secondsPerBlock == 12)
  }

  @Test("are believed to have logged nothing only when they say so")
  func blooms() {
    let key = LogsBloomKey(Self.contract)
    #expect(LogsBloom(hex: nil, isBlockEmpty: false).mayContain(key))
    #expect(LogsBloom(hex: TestBlocks.bloom([]), isBlockEmpty: false).mayContain(key))
    #expect(!LogsBloom(hex: TestBlocks.bloom([]), isBlockEmpty: true).mayContain(key))
    #expect(!LogsBloom(hex: TestBlocks.bloom([TestBlocks.address(9)]), isBlockEmpty: false).mayContain(key))
    #expect(LogsBloom(hex: TestBlocks.bloom([Self.contract]), isBlockEmpty: false).mayContain(key))
  }
}

@Suite("Known facts")
struct FactTableTests {
  private static func call(_ byte: UInt8) -> ViewCall {
    ViewCall(contract: TestBlocks.address(1), data: [byte], name: "T.f")
  }
  private static func key(_ byte: UInt8, _ epoch: UInt64) -> FactTable.Key {
    FactTable.Key(call: call(byte), span: .epoch(epoch))
  }

  @Test("stay few: what is not used goes first")
  func bound() {
    var table = FactTable(limit: 3)
    for byte in UInt8(0)..<3 { table.store(.returned([byte]), for: Self.key(byte, 0)) }
    table.store(.returned([3]), for: Self.key(3, 0))
    #expect(table.outcome(of: Self.key(0, 0)) == .returned([0]))
    for byte in UInt8(4)..<8 { table.store(.returned([byte]), for: Self.key(byte, 0)) }
    #expect(table.outcome(of: Self.key(1, 0)) == nil && table.count <= 6)
  }

  @Test("of replaced blocks go, others stay")
  func cut() {
    var table = FactTable()
    table.store(.returned([1]), for: Self.key(1, 100))
    table.store(.returned([2]), for: Self.key(1, 110))
    table.cut(after: 105)
    #expect(table.outcome(of: Self.key(1, 100)) == .returned([1]) && table.outcome(of: Self.key(1, 110)) == nil)
  }

  @Test("that are out of date are named")
  func outdated() {
    var table = FactTable()
    table.store(.returned([1]), for: Self.key(1, 100))
    table.store(.returned([2]), for: Self.key(2, 100))
    table.store(.returned([2]), for: Self.key(2, 110))
    #expect(table.calls(outdatedBy: { _ in 110 }, limit: 9) == [Self.call(1)])
    #expect(table.calls(outdatedBy: { _ in 100 }, limit: 9).isEmpty)
  }
}
