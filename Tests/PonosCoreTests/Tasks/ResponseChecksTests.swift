import PonosCore
import Testing

@Suite("Response checks")
struct ResponseChecksTests {
  static let id = TaskID(unchecked: Array(repeating: 0xd4, count: 32))
  static let text = Array(id.description.utf8)

  @Test("an echoed id and an output up to the limit pass", arguments: [0, 1, 1_572_863])
  func echoedIdAndOutputUpToLimitPass(count: Int) throws {
    try ResponseChecks.check(echoedID: Self.text, outputCount: count, for: Self.id)
  }

  @Test("the limit is one byte below the size that aggregators drop")
  func limitIsOneByteBelowSizeThatAggregatorsDrop() {
    #expect(ResponseChecks.maxOutputBytes == 3 << 19 - 1)
    #expect(throws: TaskFailure.outputTooLarge(limit: 1_572_863)) {
      try ResponseChecks.check(echoedID: Self.text, outputCount: 1_572_864, for: Self.id)
    }
  }

  @Test("the case of the echoed digits does not matter")
  func caseOfEchoedDigitsDoesNotMatter() throws {
    let upper = "0x" + Self.id.description.dropFirst(2).uppercased()
    try ResponseChecks.check(echoedID: Array(upper.utf8), outputCount: 1, for: Self.id)
  }

  @Test(
    "any other echo is refused",
    arguments: [
      [], id.bytes, Array(text.dropFirst(2)), Array(text.dropLast()), text + [0x30], Array("0x".utf8),
      Array(TaskID(unchecked: Array(repeating: 0xd5, count: 32)).description.utf8), [0xff, 0xfe],
    ])
  func anyOtherEchoIsRefused(echo: [UInt8]) {
    #expect(throws: TaskFailure.wrongTaskID) {
      try ResponseChecks.check(echoedID: echo, outputCount: 1, for: Self.id)
    }
  }

  @Test("a wrong id is told before a wrong size")
  func wrongIdIsToldBeforeWrongSize() {
    #expect(throws: TaskFailure.wrongTaskID) {
      try ResponseChecks.check(echoedID: [UInt8](), outputCount: .max, for: Self.id)
    }
  }
}
