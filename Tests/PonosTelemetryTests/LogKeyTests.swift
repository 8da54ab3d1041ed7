import Foundation
import Testing

/// Every key of a log line is a constant of `LogKey`. Read from the sources.
@Suite struct LogKeyTests {
  private static let repository = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// Targets of the daemon. What runs in a performer's process logs with keys of its own.
  private static let rooms = [
    "PonosSystem", "PonosCore", "PonosCrypto", "PonosDocker", "PonosTransport", "PonosTelemetry", "PonosConfiguration",
    "PonosStore", "PonosExecutor", "PonosAggregator", "PonosCLI",
  ]

  /// The keys' own file.
  private static let definition = "Sources/PonosTelemetry/Logging/LogKey.swift"

  private static func text(_ path: String) throws -> String {
    try String(contentsOf: repository.appending(path: path), encoding: .utf8)
  }

  /// Swift files of the rooms, by path, without the definition of the keys.
  private static func sources() throws -> [String: String] {
    var sources: [String: String] = [:]
    for room in rooms {
      let folder = repository.appending(path: "Sources/\(room)")
      let paths = try FileManager.default.subpathsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".swift") }
      for path in paths { sources["Sources/\(room)/\(path)"] = try text("Sources/\(room)/\(path)") }
    }
    return sources.filter { $0.key != definition }
  }

  /// Keys written as literals where a log line may get them: in a dictionary of texts, or by subscript.
  private static func rawKeys(in source: String) -> [String] {
    guard source.contains(/^import Logging$/.anchorsMatchLineEndings()) else { return [] }
    let entries = source.matches(of: /"([A-Za-z_.-]+)":\s*(?:"|\.string|\.array|\.dictionary)/).map { String($0.output.1) }
    let subscripts = source.matches(of: /(?:metadataKey: |[mM]etadata\[)"([^"]+)"/).map { String($0.output.1) }
    // Metadata of a gRPC status, which the same file may make.
    return (entries + subscripts).filter { $0 != "ponos-code" }
  }

  @Test func noLineHasAKeyOfItsOwn() throws {
    let sources = try Self.sources()
    #expect(sources.count > 300)
    for (path, source) in sources.sorted(by: { $0.key < $1.key }) {
      let keys = Self.rawKeys(in: source)
      #expect(keys.isEmpty, "\(path) logs under \(keys); take constants of LogKey")
    }
  }

  @Test func noTwoConstantsAreOneKey() throws {
    let keys = try Self.text(Self.definition).matches(of: /static let \w+ = "([^"]+)"/).map { String($0.output.1) }
    #expect(keys.count > 20)
    #expect(Set(keys).count == keys.count)
    for key in keys { #expect(key.contains(/^[a-z]+(_[a-z]+)*$/), "\(key) is not snake_case") }
  }

  @Test(arguments: [
    #"logger.info("x", metadata: ["reason": "\(error)"])"#, "logger[metadataKey: \"performer\"] = \"a\"",
    "var metadata: Logger.Metadata = [\n  LogKey.avs: \"a\", \"session\": \"1\"]", #"metadata["reason"] = "x""#,
  ])
  func rawKeysAreFound(source: String) {
    #expect(Self.rawKeys(in: "import Logging\n" + source).count == 1)
    #expect(Self.rawKeys(in: source).isEmpty, "a file that does not log")
  }
}
