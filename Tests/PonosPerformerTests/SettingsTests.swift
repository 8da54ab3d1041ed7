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
    let variables = ["PERFORMER_PORT": "9000", "LOG_LEVEL": "Debug"]
    let settings = try PerformerSettings.from { variables[$0] }
    #expect(settings.port == 9000)
    #expect(settings.logLevel == .debug)
  }

  @Test(arguments: ["70000", "http", "-1"])
  func portsThatMakeNoSenseAreRefusedByName(port: String) throws {
    let error = try #require(throws: PerformerError.self) {
      try PerformerSettings.from { $0 == "PERFORMER_PORT" ? port : nil }
    }
    #expect(error.message.contains("PERFORMER_PORT"))
  }

  /// Deployment tools pass on the variables of the shell they run in.
  @Test(arguments: [("warn", Logger.Level.warning, 0), ("WARNING", .warning, 0), ("loud", .info, 1), ("5", .info, 1)])
  func variablesOfTheShellDoNoHarm(level: String, expected: Logger.Level, warnings: Int) throws {
    let variables = ["PORT": "3000", "LOG_LEVEL": level]
    let settings = try PerformerSettings.from { variables[$0] }
    #expect(settings.port == 8080)
    #expect(settings.logLevel == expected)
    #expect(settings.warnings.count == warnings)
    #expect(settings.warnings.allSatisfy { $0.contains("LOG_LEVEL") })
  }

  @Test func logLinesAreJSON() throws {
    let lines = Lines()
    let handler = JSONLogHandler(label: "test") { lines.append($0) }
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
