import PonosCore
import Testing

@Suite("Recent outcomes")
struct RecentOutcomesTests {
  typealias Recent = RecentOutcomes<Int>

  private static func id(_ number: Int) -> TaskID { TaskID(unchecked: [UInt8](repeating: UInt8(number), count: 32)) }

  private static func entry(_ number: Int, bytes: Int = 10) -> Recent.Entry {
    Recent.Entry(
      contentHash: Digest32(unchecked: [UInt8](repeating: 9, count: 32)), signature: [1], outcome: number, byteCount: bytes)
  }

  private static func outcomes(_ numbers: ClosedRange<Int>, _ recent: inout Recent) -> [Int?] {
    numbers.map { recent.entry(of: id($0), now: 0)?.outcome }
  }

  @Test("the oldest go when there are too many, or they are too large together")
  func oldestGoWhenThereAreTooMany() {
    var recent = Recent(limits: .init(bytes: 100, count: 3, age: 1000))
    for number in 1...4 { recent.keep(Self.entry(number), of: Self.id(number), now: 0) }
    #expect(Self.outcomes(1...4, &recent) == [nil, 2, 3, 4])
    recent.keep(Self.entry(5, bytes: 85), of: Self.id(5), now: 0)
    #expect(Self.outcomes(2...5, &recent) == [nil, nil, 4, 5])
    #expect(recent.bytes == 95 && recent.count == 2)
    recent.keep(Self.entry(6, bytes: 101), of: Self.id(6), now: 0)
    #expect(recent.entry(of: Self.id(6), now: 0) == nil && recent.count == 2)
  }

  @Test("they are forgotten after their time")
  func theyAreForgottenAfterTheirTime() {
    var recent = Recent(limits: .init(bytes: 100, count: 9, age: 50))
    recent.keep(Self.entry(1), of: Self.id(1), now: 0)
    recent.keep(Self.entry(2), of: Self.id(2), now: 30)
    #expect(recent.entry(of: Self.id(1), now: 49)?.outcome == 1)
    #expect(recent.entry(of: Self.id(1), now: 50) == nil)
    #expect(recent.count == 1 && recent.bytes == 10)
    #expect(recent.entry(of: Self.id(2), now: 79)?.outcome == 2)
    #expect(recent.entry(of: Self.id(2), now: 80) == nil && recent.bytes == 0)
  }

  @Test("what is known already stays as it is, in its place")
  func whatIsKnownAlreadyStaysAsItIs() {
    var recent = Recent(limits: .init(bytes: 100, count: 2, age: 1000))
    recent.keep(Self.entry(1), of: Self.id(1), now: 0)
    recent.keep(Self.entry(2), of: Self.id(2), now: 0)
    recent.keep(Self.entry(7), of: Self.id(1), now: 0)
    #expect(recent.entry(of: Self.id(1), now: 0)?.outcome == 1 && recent.bytes == 20)
    recent.keep(Self.entry(3), of: Self.id(3), now: 0)
    #expect(Self.outcomes(1...3, &recent) == [nil, 2, 3])
  }

  @Test("random histories agree with a list that is searched", arguments: SeededGenerator.seeds)
  func randomHistoriesAgreeWithListThatIsSearched(seed: UInt64) {
    var dice = SeededGenerator(seed: seed)
    var recent = Recent(limits: .init(bytes: 120, count: 8, age: 40))
    var model: [(id: Int, outcome: Int, bytes: Int, at: Int64)] = []
    var now: Int64 = 0
    for step in 0..<3000 {
      now += Int64.random(in: 0...3, using: &dice)
      let number = Int.random(in: 1...20, using: &dice)
      model.removeAll { now - $0.at >= 40 }
      if Bool.random(using: &dice) {
        let bytes = Int.random(in: 1...40, using: &dice)
        recent.keep(Self.entry(step, bytes: bytes), of: Self.id(number), now: now)
        if !model.contains(where: { $0.id == number }) { model.append((number, step, bytes, now)) }
        while model.count > 8 || model.reduce(0, { $0 + $1.bytes }) > 120 { model.removeFirst() }
      } else {
        let found = recent.entry(of: Self.id(number), now: now)?.outcome
        guard found == model.first(where: { $0.id == number })?.outcome else {
          Issue.record("seed \(seed), step \(step): \(String(describing: found))")
          return
        }
      }
      #expect(recent.count == model.count && recent.bytes == model.reduce(0) { $0 + $1.bytes })
    }
  }
}
