import Logging
import Testing

@testable import PonosPerformer

@Suite struct SettingsTests {
  @Test func defaultsAreWhatExecutorsExpect() throws {
    let settings = try PerformerSettings.from { _ in nil }
    #expect(settings.port == 8080)
    #expect(settings.host == "0.0.0.0")
    #expect(settings.drainTimeout < .seconds(10))
  }

  @Test func variablesOverrideThem() throws {
    let variables = ["PORT": "9000", "LOG_LEVEL": "Debug"]
    let settings = try PerformerSettings.from { variables[$0] }
    #expect(settings.port == 9000)
    #expect(settings.logLevel == .debug)
  }

  @Test(arguments: [["PORT": "70000"], ["PORT": "http"], ["LOG_LEVEL": "loud"]])
  func nonsenseIsRefusedByName(variables: [String: String]) throws {
    let error = try #require(throws: PerformerError.self) { try PerformerSettings.from { variables[$0] } }
    #expect(error.message.contains(variables.keys.first ?? "?"))
  }

  @Test func logLinesAreJSON() throws {
    let lines = Lines()
    var handler = JSONLogHandler(label: "test")
    handler.write = { lines.append($0) }
    var log = Logger(label: "test") { _ in handler }
    log[metadataKey: "task"] = "0xab"
    log.info("said \"hi\"\n\u{1}", metadata: ["ms": "3"])
    let line = try #require(lines.all.first)
    #expect(line.hasPrefix("{\"time\":\"2"))
    #expect(line.hasSuffix("\"level\":\"info\",\"message\":\"said \\\"hi\\\"\\n\\u0001\",\"ms\":\"3\",\"task\":\"0xab\"}"))
  }
}

/// Collects log lines.
private final class Lines: @unchecked Sendable {
  // Only touched by the one test that owns it, on one thread.
  private(set) var all: [String] = []
  func append(_ line: String) { all.append(line) }
}
