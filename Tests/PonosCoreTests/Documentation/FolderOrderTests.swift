import Foundation
import Testing

/// docs/architecture.md gives the order of targets and of folders; references go from later to earlier ones only.
@Suite struct FolderOrderTests {
  private static let repository = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// Lines of the document's block of the kind `order`: a target and its folders, both lowest first.
  private static func order() throws -> [(target: String, folders: [String])] {
    let text = try String(contentsOf: repository.appending(path: "docs/architecture.md"), encoding: .utf8)
    let block = try #require(text.firstMatch(of: /(?s)```order\n(.*?)```/)?.output.1)
    return block.split(separator: "\n").map { line in
      let parts = line.split(separator: ":", maxSplits: 1)
      let folders = parts.count > 1 ? parts[1].split(separator: " ").map(String.init) : []
      return (String(parts[0]), folders + ["(root)"])
    }
  }

  @Test func noTargetImportsALaterOne() throws {
    let order = try Self.order().map(\.target)
    let violations = try SourceTree(repository: Self.repository).violations(amongTargets: order)
    #expect(violations.isEmpty, "against the order of docs/architecture.md: \(violations)")
  }

  @Test func noFolderRefersToALaterOne() throws {
    let tree = try SourceTree(repository: Self.repository)
    for (target, folders) in try Self.order() {
      let violations = tree.violations(in: target, order: folders)
      #expect(violations.isEmpty, "against the order of docs/architecture.md: \(violations)")
    }
  }

  @Test func everyTargetAndFolderHasItsPlace() throws {
    let tree = try SourceTree(repository: Self.repository)
    let order = Dictionary(try Self.order().map { ($0.target, Set($0.folders)) }, uniquingKeysWith: { first, _ in first })
    #expect(order.count > 15)
    let homeless = Set(
      tree.files.filter { order[$0.target]?.contains($0.folder) != true }.map { "\($0.target)/\($0.folder)" })
    #expect(homeless.isEmpty, "docs/architecture.md gives no place in the order to \(homeless.sorted())")
    for (target, folders) in order {
      let there = Set(tree.files.filter { $0.target == target }.map(\.folder))
      #expect(
        folders.subtracting(there).isSubset(of: ["(root)"]), "docs/architecture.md places folders of \(target) that are gone")
    }
  }

  @Test func aReferenceUpwardsIsFound() {
    let tree = SourceTree(files: [
      .init(
        path: "House/Cellar/Boiler.swift",
        source: "struct Boiler { var heats: Attic; /* Roof */ let note = \"Roof \\(Tile.count)\" }"),
      .init(path: "House/Attic/Attic.swift", source: "package struct Attic { let boiler: Boiler }"),
      .init(path: "House/Roof.swift", source: "import House\nenum Roof {}\nenum Tile { static let count = 1 }"),
    ])
    #expect(
      tree.violations(in: "House", order: ["Cellar", "Attic", "(root)"]) == [
        .init(file: "House/Cellar/Boiler.swift", mentions: "Attic", declaredIn: "House/Attic"),
        .init(file: "House/Cellar/Boiler.swift", mentions: "Tile", declaredIn: "House/(root)"),
      ])
    #expect(tree.violations(amongTargets: ["House"]).map(\.mentions) == ["House"])
  }
}
