import ArgumentParser
import Foundation
import PonosConfiguration

/// Where a command takes its configuration from, and how findings are shown.
struct ConfigurationOptions: ParsableArguments {
  @Flag(help: "Log at debug level.")
  var debug = false

  @Option(help: ArgumentHelp("Port of the task service.", valueName: "port"))
  var grpcPort: Int?

  @Option(help: ArgumentHelp("Port of the management service; equal to --grpc-port shares one listener.", valueName: "port"))
  var managementGrpcPort: Int?

  @Option(help: ArgumentHelp("Docker network that performers join.", valueName: "name"))
  var performerNetworkName: String?

  @Option(
    help: ArgumentHelp(
      "Any other setting but secrets, for example storage.type=memory; may be repeated.", valueName: "key=value"))
  var set: [String] = []

  /// Loads and checks; prints every finding to standard error and exits with 78 when the configuration cannot be used.
  func load(_ file: String?, keystores: KeystorePresence = .mayBeMissing) throws -> LoadedConfiguration {
    do throws(ConfigurationErrors) {
      let loaded = try read(file, keystores: keystores)
      for notice in loaded.notices { Console.note(notice.description) }
      return loaded
    } catch {
      throw Self.refuse(error.findings)
    }
  }

  /// Loads and checks without printing anything.
  func read(_ file: String?, keystores: KeystorePresence) throws(ConfigurationErrors) -> LoadedConfiguration {
    try ConfigurationLoader.load(
      file: file, environment: ProcessInfo.processInfo.environment, flags: flags(), keystores: keystores)
  }

  /// Prints why the configuration cannot be used, and returns the status to exit with.
  static func refuse(_ findings: [ConfigurationFinding]) -> ExitCode {
    for finding in findings { Console.note(finding.description) }
    let count = findings.count { $0.severity == .error }
    Console.note("the configuration cannot be used: \(count) error\(count == 1 ? "" : "s")")
    return unusable
  }

  /// EX_CONFIG of sysexits.h.
  static let unusable = ExitCode(78)

  func validate() throws {
    for setting in set where !setting.contains("=") {
      throw ValidationError("--set \(setting) has no value; write it as key=value")
    }
  }

  private func flags() -> [ConfigurationFlag] {
    var flags: [ConfigurationFlag] = []
    if debug { flags.append(.init(name: "--debug", key: "debug", value: "true")) }
    if let grpcPort { flags.append(.init(name: "--grpc-port", key: "grpcPort", value: "\(grpcPort)")) }
    if let managementGrpcPort {
      flags.append(
        .init(name: "--management-grpc-port", key: "managementServerGrpcPort", value: "\(managementGrpcPort)"))
    }
    if let performerNetworkName {
      flags.append(.init(name: "--performer-network-name", key: "performerNetworkName", value: performerNetworkName))
    }
    return flags
      + set.map { setting in
        let parts = setting.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        return .init(name: "--set", key: parts[0], value: parts[1])
      }
  }
}
