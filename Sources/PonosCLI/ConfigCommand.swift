import ArgumentParser
import PonosConfiguration

/// `config`: looks at a configuration without running anything.
struct ConfigCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config", abstract: "Checks and shows configurations.", subcommands: [Check.self, Show.self])

  /// `config check FILE`.
  struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Says whether the daemon could start with a configuration, and everything that is wrong with it.",
      discussion: """
        Exits with 0 when the configuration can be used and with 78 when it cannot. Signing keys in keystores are opened only with
        --open-keys, so that a configuration can be checked where its keystores are not.

        EXAMPLES
          ponos-executor config check /etc/ponos/executor.yaml
          ponos-executor config check --chain --open-keys /etc/ponos/executor.yaml
          ponos-executor config check --open-keys /etc/ponos/executor.yaml
          EXECUTOR_GRPC_PORT=abc ponos-executor config check executor.yaml -o json
        """)

    @Argument(help: ArgumentHelp("YAML or JSON file.", valueName: "file"))
    var file: String

    @Flag(help: "Open the signing keys too, as run does, and print what is public of them.")
    var openKeys = false

    @Flag(help: "Ask the chain too: every endpoint, and whether tasks of each AVS would be accepted.")
    var chain = false

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var format: OutputOptions

    func run() async throws {
      var verdict = ConfigurationVerdict(file: file, options: options, opensKeys: openKeys)
      if chain, verdict.usable { await verdict.askChain(options) }
      switch format.output {
      case .json:
        try Console.print(json: verdict)
        if !verdict.usable { throw ConfigurationOptions.unusable }
      case .table:
        guard verdict.usable else { throw ConfigurationOptions.refuse(verdict.all) }
        for notice in verdict.all { Console.note(notice.description) }
        for key in verdict.keys ?? [] { try Console.print("opened \(key)") }
        try Console.print(verdict.summary)
      }
    }
  }

  /// `config show [FILE]`.
  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Shows every setting in effect and where it came from; secrets are masked.",
      discussion: """
        EXAMPLES
          ponos-executor config show executor.yaml
          EXECUTOR_OPERATIONS_PORT=9500 ponos-executor config show executor.yaml -o json
        """)

    @Argument(help: ArgumentHelp("YAML or JSON file (default: $EXECUTOR_CONFIG_PATH).", valueName: "file"))
    var file: String?

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var format: OutputOptions

    private struct Setting: Encodable {
      var key: String
      var value: String
      var origin: String
    }

    func run() throws {
      let settings = try options.load(file).settings.map { setting in
        Setting(key: setting.key, value: setting.value, origin: "\(setting.origin)")
      }
      switch format.output {
      case .json: try Console.print(json: settings)
      case .table:
        var table = TextTable(header: ["KEY", "VALUE", "FROM"])
        for setting in settings { table.add([setting.key, setting.value, setting.origin]) }
        try Console.print(table.text)
      }
    }
  }
}
