import Foundation
import Logging
import PonosTelemetry
import Synchronization
import Testing

@Suite struct LineLogHandlerTests {
  /// Collects lines of a handler whose clock stands still.
  private final class Lines: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }

    func logger(_ format: LogFormat, level: Logger.Level = .info) -> Logger {
      Logger(label: "ponos.test") { label in
        var handler = LineLogHandler(
          label: label, format: format, now: { Date(timeIntervalSince1970: 1_700_000_000.0625) },
          write: { line in self.lines.withLock { $0.append(line) } })
        handler.logLevel = level
        return handler
      }
    }
  }

  @Test func textLines() {
    let lines = Lines()
    var logger = lines.logger(.text)
    logger[metadataKey: LogKey.avs] = "0xabc"
    logger.info("task accepted", metadata: [LogKey.attempt: "2", "reason": "two words", "empty": ""])
    logger.debug("not shown")
    logger.warning("careful")
    #expect(
      lines.all == [
        "2023-11-14T22:13:20.062Z INFO     ponos.test: task accepted attempt=2 avs=0xabc empty=\"\" reason=\"two words\"\n",
        "2023-11-14T22:13:20.062Z WARNING  ponos.test: careful avs=0xabc\n",
      ])
  }

  @Test func jsonLinesCanBeReadBack() throws {
    let lines = Lines()
    let hostile = "\"},\n\u{1b}[31m\u{0}\u{2028}\\ ünï"
    lines.logger(.json).error(
      "\(hostile)", metadata: ["level": "\(hostile)", "list": ["a", "\(hostile)"], "map": ["k": .stringConvertible(5)]])
    let line = try #require(lines.all.first)
    #expect(line.filter { $0 == "\n" }.count == 1 && line.hasSuffix("}\n"))
    let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    #expect(object["message"] as? String == hostile)
    #expect(object["level"] as? String == "error")
    #expect(object["level_"] as? String == hostile)
    #expect(object["list"] as? [String] == ["a", hostile])
    #expect((object["map"] as? [String: String])?["k"] == "5")
    #expect(object["time"] as? String == "2023-11-14T22:13:20.062Z")
  }

  @Test(arguments: LogFormat.allCases) func nobodyCanForgeALine(format: LogFormat) {
    let lines = Lines()
    lines.logger(format).info("a\nb\r\u{85}\u{2029}c", metadata: ["k\ney": "v\n2023 INFO x: forged\u{1b}[2J"])
    let controls = lines.all.joined().dropLast().unicodeScalars.filter { $0.value < 0x20 || (0x7f...0x9f).contains($0.value) }
    #expect(controls.isEmpty)
    #expect(lines.all.count == 1)
  }
}
