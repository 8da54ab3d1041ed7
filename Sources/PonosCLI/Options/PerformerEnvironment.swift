import ArgumentParser
import Foundation
import PonosCore

/// The variables a deployed performer gets.
struct PerformerEnvironmentOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Variable of the container; without a value it takes the one of this command's environment. May be repeated.",
      valueName: "name[=value]"))
  var env: [String] = []

  @Option(
    help: ArgumentHelp("File with such variables, one on a line; lines that start with # are comments.", valueName: "file"))
  var envFile: String?

  /// All variables; those of `--env` replace those of the file. Prints a note about variables that executors keep away from performers.
  func variables() throws -> PerformerVariables {
    var variables = PerformerVariables(inherited: ProcessInfo.processInfo.environment)
    if let envFile {
      guard let text = String(validating: try SmallFile.read(envFile, what: "the file of --env-file"), as: UTF8.self) else {
        throw CommandFailure("the file of --env-file \(envFile) is not UTF-8 text")
      }
      try variables.add(fileText: text, path: envFile)
    }
    for text in env { try variables.add(text[...], place: "--env") }
    for name in variables.values.keys.sorted() where EnvironmentDenyList.standard.denies(name) {
      Console.note(
        "\(name) will be dropped: names like it belong to secrets or to this host; performers get those from the executor's "
          + "configuration file only")
    }
    return variables
  }
}

/// Variables by name, read from texts such as `NAME=value`, or `NAME` for a value that is inherited. Errors quote no value.
struct PerformerVariables {
  private(set) var values: [String: String] = [:]
  private let inherited: [String: String]

  /// - Parameter inherited: Values of names that are given without one.
  init(inherited: [String: String]) {
    self.inherited = inherited
  }

  /// Adds one variable, replacing an earlier one of its name.
  mutating func add(_ text: Substring, place: String) throws(CommandFailure) {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let name = parts[0]
    guard !name.isEmpty, !name.contains(where: \.isWhitespace) else {
      throw CommandFailure("\(place): a variable without a proper name; write it as name=value")
    }
    guard let value = parts.count == 2 ? parts[1] : inherited[name] else {
      throw CommandFailure("\(place): \(name) has no value, and none in this command's environment; write it as name=value")
    }
    values[name] = value
  }

  /// Adds the variables of a file, one on each line. Empty lines and lines that start with # are skipped.
  mutating func add(fileText: String, path: String) throws(CommandFailure) {
    for (index, line) in fileText.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
      guard !line.allSatisfy(\.isWhitespace), !line.hasPrefix("#") else { continue }
      try add(line, place: "\(path):\(index + 1)")
    }
  }
}
