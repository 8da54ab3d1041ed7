import ArgumentParser
import PonosExecutor

/// `config`: looks at a configuration without running anything.
struct ConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config", abstract: "Checks and shows configurations.", subcommands: [Check.self, Show.self])

  /// `config check FILE`.
  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Says whether the daemon could start with a configuration, and everything that is wrong with it.",
      discussion: """
        Exits with 0 when the configuration can be used and with 78 when it cannot. Signing keys are not opened.

        EXAMPLES
          ponos-executor config check /etc/ponos/executor.yaml
          EXECUTOR_GRPC_PORT=abc ponos-executor config check executor.yaml
        """)

    @Argument(help: ArgumentHelp("YAML or JSON file.", valueName: "file"))
    var file: String

    @OptionGroup var options: ConfigurationOptions

    func run() throws {
      let loaded = try options.load(file)
      let warnings = loaded.notices.count { $0.severity == .warning }
      Console.print("\(file): can be used\(warnings == 0 ? "" : ", with \(warnings) warning\(warnings == 1 ? "" : "s")")")
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
        Console.print(table.text)
      }
    }
  }
}
