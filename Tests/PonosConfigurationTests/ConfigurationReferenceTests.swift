import Foundation
import Testing
@testable import PonosConfiguration

/// `docs/configuration.md` says what the schema says. After a change of the schema, run these tests once with
/// `PONOS_UPDATE_DOCS=1` to rewrite the table.
@Suite struct ConfigurationReferenceTests {
  private static let start = "<!-- The table of keys is made from Sources/PonosConfiguration/Schema. -->\n"
  private static let end = "<!-- End of the table of keys. -->\n"
  private let document = ConfigurationText.repository.appending(path: "docs/configuration.md")

  @Test func theTableInTheDocumentIsTheSchema() throws {
    let text = try String(contentsOf: document, encoding: .utf8)
    let start = try #require(text.firstRange(of: Self.start))
    let end = try #require(text.firstRange(of: Self.end))
    let expected = "\n" + ConfigurationReference.markdown + "\n"
    if ProcessInfo.processInfo.environment["PONOS_UPDATE_DOCS"] == "1" {
      let updated = text[..<start.upperBound] + expected + text[end.lowerBound...]
      try Data(updated.utf8).write(to: document)
    } else {
      #expect(text[start.upperBound..<end.lowerBound] == expected)
    }
  }

  @Test func examplesInTheDocumentAreValid() throws {
    let text = try String(contentsOf: document, encoding: .utf8)
    let examples = text.split(separator: "```yaml\n").dropFirst().compactMap { $0.split(separator: "```\n").first }
    #expect(examples.count >= 2)
    for example in examples {
      // Examples name files of a real installation, which are not here.
      let notices = try ConfigurationText.load(String(example)).notices
      #expect(notices.allSatisfy { $0.code == .unreadableSecret || $0.severity == .note }, "\(notices)")
    }
  }

  @Test func variablesInTheDocumentExist() throws {
    let text = try String(contentsOf: document, encoding: .utf8)
    let names = Set(text.matches(of: /EXECUTOR_[A-Z0-9_]*[A-Z0-9]/).map { String($0.output) })
    #expect(names.count > 5)
    let report = ConfigurationReport()
    _ = VariableResolver(schema: ConfigurationSchema.root, report: report).assignments(
      Dictionary(uniqueKeysWithValues: names.map { ($0, "x") }))
    #expect(report.findings.isEmpty)
  }

  @Test func rowsAreSound() {
    let keys = ConfigurationSchema.keys
    #expect(Set(keys.map(\.path)).count == keys.count)
    for key in keys {
      #expect(!key.meaning.isEmpty && !key.meaning.contains("|"), "\(key.path)")
      if let standard = key.standard, !standard.isEmpty { #expect(key.kind.fault(in: standard) == nil, "\(key.path)") }
      if key.isRequired { #expect(key.standard == nil, "\(key.path)") }
      if key.standing == .used { #expect(key.meaning.hasSuffix("."), "\(key.path)") }
      let parent = key.path.split(separator: ".").dropLast().joined(separator: ".").replacing("[]", with: "")
      let parents = keys.map { $0.path.replacing("[]", with: "") }
      #expect(parent.isEmpty || parents.contains(parent), "\(key.path) has no parent row")
    }
  }
}
