import Foundation

/// Every outcome of one run, and the machine it ran on.
struct Report: Codable {
  struct Machine: Codable {
    var cores = ProcessInfo.processInfo.activeProcessorCount
    var system = ProcessInfo.processInfo.operatingSystemVersionString
    var memoryGiB = Int((Double(ProcessInfo.processInfo.physicalMemory) / Double(1 << 30)).rounded())
  }

  var machine = Machine()
  var outcomes: [Outcome] = []

  func json() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    return try encoder.encode(self)
  }
}

/// Writes outcomes as text, for people.
enum Table {
  private static let nameWidth = 58

  static func heading(_ group: String) -> String {
    "\n\(group)\n"
      + "  " + column("", nameWidth)
      + ["µs CPU", "per s", "p50 µs", "p99 µs", "× floor"].map { number($0) }.joined() + "  (rounds)"
  }

  static func text(_ outcome: Outcome) -> String {
    let lines = outcome.entries.enumerated().map { index, entry in
      let name = column("  " + (index == 0 ? "floor: " : "") + entry.name, nameWidth)
      let columns = [
        figure(entry.cpu.median), figure(entry.operationsPerSecond.median), figure(entry.latencyP50?.median),
        figure(entry.latencyP99?.median), index == 0 ? "1" : figure(entry.ratio.median),
      ]
      let spread = index == 0 ? "" : "  (\(figure(entry.ratio.min))–\(figure(entry.ratio.max)))"
      return "  " + name + columns.map { number($0) }.joined() + spread
    }
    return (["  \(outcome.title) [\(outcome.figure.rawValue)]"] + lines).joined(separator: "\n")
  }

  private static func column(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.count))
  }

  private static func number(_ text: String) -> String {
    String(repeating: " ", count: max(1, 10 - text.count)) + text
  }

  /// Three significant digits, as far as a table needs them.
  private static func figure(_ value: Double?) -> String {
    guard let value else { return "–" }
    let digits = value >= 100 ? 0 : value >= 10 ? 1 : 2
    return String(format: "%.\(digits)f", value)
  }
}
