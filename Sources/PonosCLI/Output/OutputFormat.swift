import ArgumentParser
import Foundation

/// How a command prints its data.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
  /// For people.
  case table
  /// For programs: one JSON document on standard output.
  case json
}

/// The option every command with data takes.
struct OutputOptions: ParsableArguments {
  @Option(name: [.short, .customLong("output-format")], help: "How to print: table or json.")
  var output = OutputFormat.table
}

/// Rows under a header, columns aligned, for standard output.
struct TextTable {
  private var rows: [[String]]

  init(header: [String]) {
    rows = [header]
  }

  mutating func add(_ row: [String]) {
    rows.append(row)
  }

  var text: String {
    let columns = rows.first?.count ?? 0
    let widths = (0..<columns).map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      row.enumerated().map { index, cell in
        index == columns - 1 ? cell : cell.padding(toLength: widths[index], withPad: " ", startingAt: 0)
      }.joined(separator: "  ")
    }.joined(separator: "\n")
  }
}
