import ArgumentParser
import PonosChain
import PonosCore
import PonosExecutor

/// `chain avs ADDRESS`.
struct ChainAVSCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "avs", abstract: "Shows operator sets, aggregators and this operator's keys of an AVS, and what is missing.",
    discussion: """
      Exits with 1 when tasks of the AVS would be refused.

      EXAMPLES
        ponos-executor chain avs 0x8e14db002737f89745bc98f987caeb18d0d47635 --config /etc/ponos/executor.yaml
      """)

  @Argument(help: ArgumentHelp("Address of the AVS.", valueName: "address"))
  var avs: EthereumAddress

  @OptionGroup var chain: ChainOptions
  @OptionGroup var format: OutputOptions

  func run() async throws {
    let (config, access) = try await chain.open()
    let inspector = ChainInspector(access, config: config, keys: await ChainOptions.keys(config))
    let status = await inspector.status()
    var report = await inspector.inspect(avs)
    if access.reader.head == nil { report.problems = status.problems }
    switch format.output {
    case .json: try Console.print(json: report)
    case .table: try AVSReportText.print(report)
    }
    if !report.problems.isEmpty { throw ChainCommand.wouldBeRefused }
  }
}
