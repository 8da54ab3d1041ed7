import ArgumentParser

/// `chain`: looks at the chain the way the daemon does.
struct ChainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "chain", abstract: "Shows what the chain says of endpoints, AVSs and tasks.",
    subcommands: [ChainStatusCommand.self, ChainAVSCommand.self, ChainTaskCommand.self])

  /// Something that was asked about would be refused.
  static let wouldBeRefused = ExitCode(1)
}
