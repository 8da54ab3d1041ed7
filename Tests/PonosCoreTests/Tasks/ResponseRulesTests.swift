import PonosCore
import Testing

@Suite("Response rules")
struct ResponseRulesTests {
  typealias Rules = ResponseRules

  @Test("without rules, any output passes", arguments: [0, 1, 1_572_863])
  func withoutRulesAnyOutputPasses(count: Int) throws {
    try ResponseChecks.check([UInt8](repeating: 7, count: count), by: .none)
  }

  @Test(
    "lengths hold at both ends",
    arguments: [
      (31, Rules.Violation.tooShort(count: 31, least: 32)), (32, nil), (64, nil), (65, .tooLong(count: 65, most: 64)),
    ] as [(Int, Rules.Violation?)])
  func lengthsHoldAtBothEnds(count: Int, violation: Rules.Violation?) {
    #expect(Rules(lengths: 32...64).violation(in: [UInt8](repeating: 0, count: count)) == violation)
  }

  @Test(
    "the prefix is compared byte for byte",
    arguments: [([0x01, 0x02], true), ([0x01, 0x02, 0x03], true), ([0x01], false), ([], false), ([0x02, 0x01], false)]
      as [([UInt8], Bool)])
  func prefixIsComparedByteForByte(output: [UInt8], passes: Bool) {
    #expect(Rules(prefix: [1, 2]).violation(in: output) == (passes ? nil : .wrongPrefix(wanted: [1, 2])))
  }

  @Test("JSON is looked at to the end")
  func jsonIsLookedAtToEnd() {
    #expect(Rules(format: .json).violation(in: Array(#"{"price": 12}"#.utf8)) == nil)
    #expect(Rules(format: .json).violation(in: Array(#"{"price": 12"#.utf8)) == .notJSON(offset: 12))
  }

  @Test(
    "ABI words have 32 bytes each",
    arguments: [
      (0, nil, false), (32, nil, true), (96, nil, true), (33, nil, false), (96, 3, true), (64, 3, false), (0, 3, false),
    ]
      as [(Int, Int?, Bool)])
  func abiWordsHave32BytesEach(count: Int, words: Int?, passes: Bool) {
    let violation = Rules(format: .abiWords(words)).violation(in: [UInt8](repeating: 0, count: count))
    #expect(violation == (passes ? nil : .notWords(count: count, words: words)))
  }

  @Test("a broken rule fails the task for good, with words that name it and nothing of the output")
  func brokenRuleFailsTaskForGood() {
    let failure = #expect(throws: TaskFailure.self) {
      try ResponseChecks.check(Array("secret".utf8), by: Rules(lengths: 32...32))
    }
    #expect(failure?.code == "output_invalid" && failure?.isRetryable == false)
    #expect(failure?.message.contains("minBytes is 32") == true && failure?.message.contains("secret") == false)
  }

  @Test(
    "says what was wanted",
    arguments: [
      (Rules.Violation.wrongPrefix(wanted: [0xab]), "0xab"), (.tooLong(count: 9, most: 8), "maxBytes is 8"),
      (.notJSON(offset: 3), "byte 3"), (.notWords(count: 5, words: 2), "64"), (.notWords(count: 5, words: nil), "32 bytes"),
    ])
  func saysWhatWasWanted(violation: Rules.Violation, words: String) {
    #expect(violation.message.contains(words))
  }
}
