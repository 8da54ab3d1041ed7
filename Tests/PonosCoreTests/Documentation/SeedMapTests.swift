import Foundation
import Testing

/// docs/seed-map.md says where each feature lives; a path in it that is not there is worse than none.
@Suite struct SeedMapTests {
  private static let repository = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// An entry of the document: a group of features with its heading, or a feature with what is below it.
  private struct Entry {
    /// `4` of a group, `4.1` of a feature.
    var number: String
    var isGroup: Bool
    /// Everything below, in one line.
    var text = ""
    /// What is below but for tests and documents.
    var files = ""
  }

  private static func entries() throws -> [Entry] {
    let text = try String(contentsOf: repository.appending(path: "docs/seed-map.md"), encoding: .utf8)
    var entries: [Entry] = []
    var isFiles = false
    for line in text.split(separator: "\n") {
      if let match = line.firstMatch(of: #/^## ([0-9]+)\. /#) {
        entries.append(Entry(number: String(match.output.1), isGroup: true))
      } else if let match = line.firstMatch(of: #/^\* \*\*([0-9.]+)( \+)?\*\* /#) {
        entries.append(Entry(number: String(match.output.1), isGroup: false))
      } else if !entries.isEmpty {
        if line.hasPrefix("  * ") { isFiles = line.firstMatch(of: #/^  \* (tests|documents): /#) == nil }
        entries[entries.count - 1].text += " \(line)"
        if isFiles { entries[entries.count - 1].files += " \(line)" }
      }
    }
    return entries
  }

  /// What stands between backticks and looks like a path of the repository.
  private static func paths(in text: String) -> [String] {
    text.matches(of: /`([A-Za-z]+\/[^`]+)`/).map { String($0.output.1) }
  }

  @Test func everyPathExists() throws {
    let paths = try Self.entries().flatMap { Self.paths(in: $0.text) }
    #expect(paths.count > 100)
    let missing = paths.filter { path in
      !FileManager.default.fileExists(atPath: Self.repository.appending(path: path).path)
    }
    #expect(missing.isEmpty, "docs/seed-map.md names files that do not exist: \(missing)")
  }

  @Test func everyFeatureHasAFileOrIsPlanned() throws {
    let features = try Self.entries().filter { !$0.isGroup }
    #expect(features.count >= 50)
    for feature in features {
      #expect(
        feature.files.contains("planned") || !Self.paths(in: feature.files).isEmpty,
        "\(feature.number) names neither a file nor says that it is planned")
    }
  }

  @Test func allTwentySixGroupsAreThere() throws {
    let entries = try Self.entries()
    #expect(entries.filter(\.isGroup).map(\.number) == (1...26).map(String.init))
    for group in entries where group.isGroup {
      #expect(
        entries.contains { !$0.isGroup && $0.number.split(separator: ".").first.map(String.init) == group.number },
        "group \(group.number) has no feature")
    }
  }

  /// So that a change shows as the lines it touches.
  @Test func linesAreShort() throws {
    let text = try String(contentsOf: Self.repository.appending(path: "docs/seed-map.md"), encoding: .utf8)
    let long = text.split(separator: "\n").filter { $0.count > 140 }
    #expect(long.isEmpty, "lines of docs/seed-map.md are longer than 140 columns: \(long)")
  }
}
