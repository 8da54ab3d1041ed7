import ArgumentParser
import Foundation
import Logging
import PonosConfiguration
import PonosExecutor
import PonosTelemetry

/// `run`: the daemon.
struct RunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Runs the daemon until SIGTERM or SIGINT.",
    discussion: """
      Settings come from the file, then from EXECUTOR_… variables, then from flags, each beating the one before.
      Containers are left running at the end; the next start adopts them. Exits with 78, which a supervisor need not try again,
      when the configuration cannot be used or a signing key cannot be opened.

      EXAMPLES
        ponos-executor run --config /etc/ponos/executor.yaml
        EXECUTOR_GRPC_PORT=9095 ponos-executor run --config executor.yaml --log-format text
      """)

  @Option(
    name: .shortAndLong, help: ArgumentHelp("YAML or JSON file (default: $EXECUTOR_CONFIG_PATH).", valueName: "file"))
  var config: String?

  @OptionGroup var options: ConfigurationOptions

  @Option(help: "How to write log lines to standard error: json or text.")
  var logFormat = LogFormat.json

  func run() async throws {
    let loaded = try options.load(config, keystores: .mustBeThere)
    LogSetup.bootstrap(level: loaded.config.debug ? .debug : .info, format: logFormat)
    let daemon = ExecutorDaemon(
      config: loaded.config, environment: ProcessInfo.processInfo.environment, logger: Logger(label: "ponos"))
    do { try await daemon.run() } catch let error as KeyLoadErrors {
      throw ConfigurationOptions.refuse(error.findings)
    } catch let error as ListenerErrors {
      throw CommandFailure("\(error)")
    } catch {
      throw CommandFailure("the daemon stopped: \(error)")
    }
  }
}

extension LogFormat: ExpressibleByArgument {}
