import Foundation
import Testing

/// docs/seed-map.md says where each feature lives; a path in it that is not there is worse than none.
@Suite struct SeedMapTests {
  private static let repository = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// Lines of the table, without its head, as cells.
  private static func rows() throws -> [[String]] {
    let text = try String(contentsOf: repository.appending(path: "docs/seed-map.md"), encoding: .utf8)
    return text.split(separator: "\n").filter { $0.hasPrefix("| ") }.dropFirst().map { line in
      line.split(separator: "|", omittingEmptySubsequences: false).dropFirst().dropLast().map {
        $0.trimmingCharacters(in: .whitespaces)
      }
    }
  }

  /// What stands between backticks and looks like a path of the repository.
  private static func paths(in row: [String]) -> [String] {
    row.joined(separator: " ").matches(of: /`([A-Za-z]+\/[^`]+)`/).map { String($0.output.1) }
  }

  @Test func everyPathExists() throws {
    let paths = try Self.rows().flatMap(Self.paths)
    #expect(paths.count > 100)
    let missing = paths.filter { path in
      !FileManager.default.fileExists(atPath: Self.repository.appending(path: path).path)
    }
    #expect(missing.isEmpty, "docs/seed-map.md names files that do not exist: \(missing)")
  }

  @Test func everyFeatureHasAFileOrIsPlanned() throws {
    let features = try Self.rows().filter { !$0[2].isEmpty }
    #expect(features.count >= 50)
    for feature in features {
      #expect(feature.count == 5, "a row of docs/seed-map.md has \(feature.count) cells: \(feature)")
      #expect(
        feature[2].contains("planned") || !Self.paths(in: [feature[2]]).isEmpty,
        "\(feature[0]) \(feature[1]) names neither a file nor says that it is planned")
    }
  }

  @Test func allTwentySixGroupsAreThere() throws {
    let numbers = try Self.rows().compactMap { Int($0[0].prefix { $0 != "." && $0 != " " }.filter(\.isNumber)) }
    #expect(Set(numbers) == Set(1...26))
  }
}
