import Foundation

/// The Swift sources of this repository, as far as a question about their order needs them: who declares a name, and who mentions it.
struct SourceTree {
  /// One file, without comments and the text of strings.
  struct File {
    /// Below `Sources`, for messages.
    let path: String
    let target: String
    /// The first folder below the target; `(root)` for a file beside the folders.
    let folder: String
    let imports: Set<String>
    /// Types and functions that others may name, outside of any type.
    let declared: Set<String>
    let mentioned: Set<String>
  }

  /// A mention of a name that another folder declares, against the order.
  struct Violation: Equatable, CustomStringConvertible {
    let file: String
    let mentions: String
    /// Where that is declared.
    let declaredIn: String

    var description: String { "\(file) refers to \(mentions) in \(declaredIn)" }
  }

  let files: [File]

  init(files: [File]) {
    self.files = files
  }

  /// Reads `Sources` without what a generator made.
  init(repository: URL) throws {
    let sources = repository.appending(path: "Sources")
    let paths = try FileManager.default.subpathsOfDirectory(atPath: sources.path)
      .filter { $0.hasSuffix(".swift") && !$0.contains("/Generated/") }.sorted()
    files = try paths.map { path in
      File(path: path, source: try String(contentsOf: sources.appending(path: path), encoding: .utf8))
    }
  }

  /// Names that only one folder of the target declares, with that folder.
  private func owners(in target: String) -> [String: String] {
    var owners: [String: Set<String>] = [:]
    for file in files where file.target == target {
      for name in file.declared { owners[name, default: []].insert(file.folder) }
    }
    return owners.compactMapValues { $0.count == 1 ? $0.first : nil }
  }

  /// Mentions of names from folders that come later in `order`.
  func violations(in target: String, order: [String]) -> [Violation] {
    let rank = Dictionary(order.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    let owners = owners(in: target)
    return files.filter { $0.target == target }.flatMap { file -> [Violation] in
      guard let own = rank[file.folder] else { return [] }
      return file.mentioned.subtracting(file.declared).sorted().compactMap { name in
        guard let owner = owners[name], let other = rank[owner], other > own else { return nil }
        return Violation(file: file.path, mentions: name, declaredIn: "\(target)/\(owner)")
      }
    }
  }

  /// Imports of targets that come later in `order`.
  func violations(amongTargets order: [String]) -> [Violation] {
    let rank = Dictionary(order.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    return files.flatMap { file -> [Violation] in
      guard let own = rank[file.target] else { return [] }
      return file.imports.sorted().compactMap { name in
        guard let other = rank[name], other >= own else { return nil }
        return Violation(file: file.path, mentions: name, declaredIn: name)
      }
    }
  }
}

extension SourceTree.File {
  init(path: String, source: String) {
    let steps = path.split(separator: "/").map(String.init)
    let code = Self.withoutCommentsAndStrings(source)
    self.init(
      path: path, target: steps[0], folder: steps.count > 2 ? steps[1] : "(root)",
      imports: Set(code.matches(of: /(?m)^(?:@\w+ )?(?:\w+ )?import (\w+)/).map { String($0.output.1) }),
      declared: Set(
        code.matches(
          of: /(?m)^(?:(?:public|package|final|indirect|static) )*(?:struct|class|enum|actor|protocol|typealias|func) (\w+)/
        ).map { String($0.output.1) }),
      mentioned: Set(code.matches(of: /(?:^|[^\w.])([A-Za-z_]\w*)/).map { String($0.output.1) }))
  }

  /// Comments go whole. Of strings the code between `\(` and `)` stays, in which names are mentioned too.
  static func withoutCommentsAndStrings(_ source: String) -> String {
    source.replacing(/(?s)\/\*.*?\*\//, with: "").replacing(/\/\/[^\n]*/, with: "")
      .replacing(/(?s)(#*)"""(.*?)"""#*/) { Self.interpolations(in: $0.output.2) }
      .replacing(/"((?:\\.|[^"\\\n])*)"/) { Self.interpolations(in: $0.output.1) }
  }

  private static func interpolations(in text: Substring) -> String {
    "\"\" " + text.matches(of: /\\\(([^()]*(?:\([^()]*\)[^()]*)*)\)/).map { String($0.output.1) }.joined(separator: " ") + " "
  }
}
