import ArgumentParser
import Foundation

@main
struct PonosBenchmarks: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "PonosBenchmarks",
    abstract: "Measures the executor's parts, each beside the floor of the same work.",
    discussion: """
      Every figure stands beside its floor, measured in the same run in alternating rounds: read the ratios, the absolute figures
      are those of this machine at this hour.
      """,
    subcommands: [MeasureCommand.self, EchoProxyCommand.self],
    defaultSubcommand: MeasureCommand.self)
}

/// The benchmarks themselves.
struct MeasureCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "measure", abstract: "Run the benchmarks (the default).")

  @Argument(help: "Which groups to run: \(BenchmarkGroup.allCases.map(\.rawValue).joined(separator: ", ")). Default: all.")
  var groups: [BenchmarkGroup] = BenchmarkGroup.allCases

  @Option(help: "Rounds of every contender, at least 1.")
  var rounds = 7

  @Option(help: "Seconds of one round; rounds of the end-to-end groups take four times as long.")
  var seconds = 0.5

  @Option(help: "Another build of the daemon, to be measured in turn with this one's in the group tasks.")
  var beside: String?

  @Option(help: "Write the figures as JSON to this file.")
  var json: String?

  func validate() throws {
    guard rounds >= 1 else { throw ValidationError("--rounds must be at least 1") }
    guard seconds > 0 else { throw ValidationError("--seconds must be above 0") }
  }

  func run() async throws {
    var report = Report()
    for group in groups {
      print(Table.heading(group.title))
      try await group.run(rounds: rounds, seconds: seconds, beside: beside) { outcome in
        print(Table.text(outcome))
        report.outcomes.append(outcome)
      }
    }
    if let json {
      try report.json().write(to: URL(fileURLWithPath: json))
      print("\nThe same figures as JSON: \(json)")
    }
  }
}

/// Benchmarks that are run together.
enum BenchmarkGroup: String, CaseIterable, ExpressibleByArgument {
  case crypto
  case queue
  case chain
  case journal
  case recovery
  case tasks
  case streaming

  var title: String {
    switch self {
    case .crypto: "Hashing, signing, verifying: CPU time on one core"
    case .queue: "Task queue: CPU time on one core"
    case .chain: "The chain: what it adds to a submission (an operation of the first comparison is a thousand)"
    case .journal: "Journal: accepted tasks made durable"
    case .recovery: "Recovery: a start with 100,000 tasks of 1 KiB accepted and none finished"
    case .tasks: "Whole tasks: client, daemon, performer in a container"
    case .streaming: "Task streams: the same tasks on one stream and as a call each"
    }
  }

  /// Runs the group; `report` gets each outcome as it comes.
  ///
  /// - Parameter beside: Another build of the daemon.
  func run(rounds: Int, seconds: Double, beside: String?, report: (Outcome) -> Void) async throws {
    switch self {
    case .crypto:
      let comparisons =
        try KeccakBenchmarks.comparisons() + ECDSABenchmarks.comparisons() + BN254Benchmarks.comparisons()
        + BLS12381Benchmarks.comparisons()
      for comparison in comparisons { report(try await comparison.measure(rounds: rounds, seconds: seconds)) }
    case .queue:
      try await QueueBenchmarks.measure(rounds: rounds, seconds: seconds, report: report)
    case .chain:
      try await ChainBenchmarks.measure(rounds: rounds, seconds: seconds, report: report)
    case .journal:
      try await JournalBenchmarks.measure(rounds: rounds, seconds: seconds, report: report)
    case .recovery:
      try await RecoveryBenchmarks.measure(rounds: rounds, report: report)
      try await RestartBenchmarks.measure(rounds: rounds, report: report)
    case .tasks:
      try await TaskBenchmarks.measure(rounds: rounds, seconds: seconds * 4, beside: beside, report: report)
    case .streaming:
      try await StreamBenchmarks.measure(rounds: rounds, seconds: seconds * 4, report: report)
    }
  }
}
