import Testing
@testable import PonosContainers

@Suite("Lines that containers wrote")
struct LogLineTests {
  @Test("lose what steers a terminal or cannot be seen")
  func loseWhatSteersTerminalOrCannotBeSeen() {
    #expect(LogLine.harmless("a\tb\u{1b}[31mred\r\u{0}\u{7f}\u{9b}\u{202e}\u{200b}\u{2028}ü€", limit: 400) == "a b[31mredü€")
  }

  @Test("are cut by bytes, at a character's end", arguments: 0...12)
  func areCutByBytes(limit: Int) {
    let cut = LogLine.harmless("aü€😀e\u{301}", limit: limit)
    #expect(cut.utf8.count <= limit)
    #expect(Array("aü€😀e\u{301}".utf8).starts(with: cut.utf8))
    #expect(LogLine.harmless("e" + String(repeating: "\u{301}", count: 10_000), limit: 400).utf8.count <= 400)
  }
}
