import ArgumentParser

/// `ponos-executor`: the daemon and the tools that talk to it, in one program.
@main
struct PonosCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ponos-executor",
    abstract: "Runs AVS tasks in hardened containers and signs their results.",
    discussion: """
      EXAMPLES
        ponos-executor config check /etc/ponos/executor.yaml
        ponos-executor run --config /etc/ponos/executor.yaml
        ponos-executor performer list
        ponos-executor keys new --curve bn254 --output operator.bls.json

      EXIT STATUS
        0 done, 1 failed, 64 wrong usage, 78 the configuration cannot be used
      """,
    subcommands: [
      RunCommand.self, ConfigCommand.self, TaskCommand.self, PerformerCommand.self, KeysCommand.self, StateCommand.self,
      ChainCommand.self,
      VersionCommand.self,
    ])
}
