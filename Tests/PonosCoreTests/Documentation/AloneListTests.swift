import Foundation
import Testing

/// Tests/alone.txt names the tests that run alone; a name in it that no test has any more would leave one to run beside others.
@Suite("The list of tests that run alone")
struct AloneListTests {
  private static let tests = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  @Test("names suites and targets that exist, and says why")
  func namesSuitesAndTargetsThatExist() throws {
    let text = try String(contentsOf: Self.tests.appending(path: "alone.txt"), encoding: .utf8)
    let lines = text.split(separator: "\n").filter { !$0.hasPrefix("#") }
    #expect(lines.count > 3)
    let sources = try FileManager.default.subpathsOfDirectory(atPath: Self.tests.path).filter { $0.hasSuffix(".swift") }
      .map { try String(contentsOf: Self.tests.appending(path: $0), encoding: .utf8) }
    for line in lines {
      let words = line.split(separator: " ", maxSplits: 1)
      #expect(words.count == 2, "\(line): why is missing")
      for name in words[0].split(whereSeparator: { !$0.isLetter && !$0.isNumber }) {
        let isTarget = FileManager.default.fileExists(atPath: Self.tests.appending(path: String(name)).path)
        #expect(isTarget || sources.contains { $0.contains("struct \(name) ") }, "\(name) is no target and no suite")
      }
    }
  }
}
