import ArgumentParser
import PonosExecutor

/// `version`: what this program is.
struct VersionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "version", abstract: "Prints the version.",
    discussion: """
      EXAMPLES
        ponos-executor version
        ponos-executor version -o json
      """)

  @OptionGroup var format: OutputOptions

  private struct Version: Encodable {
    var version: String
    var protocols: [String]
  }

  func run() throws {
    switch format.output {
    case .table: try Console.print("ponos-executor \(ExecutorDaemon.version)")
    case .json:
      try Console.print(
        json: Version(version: ExecutorDaemon.version, protocols: ["eigenlayer.hourglass.v1", "grpc.health.v1"]))
    }
  }
}
