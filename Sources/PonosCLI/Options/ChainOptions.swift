import ArgumentParser
import PonosChain
import PonosConfiguration
import PonosCore
import PonosExecutor

/// Which configuration a `chain` command reads the chain by.
struct ChainOptions: ParsableArguments {
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Configuration that names the endpoints (default: $EXECUTOR_CONFIG_PATH).", valueName: "file"))
  var config: String?

  @OptionGroup var options: ConfigurationOptions

  /// The configuration, and the chain read once so that its head is known.
  func open() async throws -> (config: ExecutorConfig, access: ChainAccess) {
    let config = try options.load(config).config
    return (config, try await Self.access(config))
  }

  static func access(_ config: ExecutorConfig) async throws -> ChainAccess {
    guard !config.chain.rpcURLs.isEmpty else { throw CommandFailure("no endpoint is configured; add l1Chain.rpcUrl") }
    do throws(EndpointSetupError) { return try ChainAccess(config) } catch { throw CommandFailure(error.description) }
  }

  /// The signing keys, to compare them with those registered; nil, with a word about it, when they cannot be opened here.
  static func keys(_ config: ExecutorConfig) async -> KeyRing? {
    do throws(KeyLoadErrors) { return try await KeyRing.load(config) } catch {
      Console.note("signing keys are not compared with those registered: \(error.errors.first?.description ?? "")")
      return nil
    }
  }
}

/// How reports about AVSs are printed.
enum AVSReportText {
  static func print(_ report: AVSChainReport) throws {
    try Console.print("AVS \(report.avs)")
    if let set = report.aggregatorSet { try Console.print("  aggregators: operator set \(set)") }
    for aggregator in report.aggregators {
      let curve = aggregator.curve?.rawValue ?? "no curve"
      let key = aggregator.key.map(shortened) ?? "no key: its submissions are refused"
      try Console.print("    \(aggregator.address) \(curve) \(key)")
    }
    for set in report.executorSets {
      let standing = set.problem.map { "refused: \($0)" } ?? "accepted"
      let key = set.registeredKey.map { ", key \(shortened($0))" } ?? ""
      try Console.print("  operator set \(set.id) (\(set.curve?.rawValue ?? "no curve")\(key)): \(standing)")
    }
    for problem in report.problems { try Console.print("  ! \(problem)") }
  }

  /// BN254 keys have 256 digits, of which the first ones tell.
  private static func shortened(_ key: String) -> String {
    key.count > 50 ? "\(key.prefix(26))…" : key
  }
}
