import ArgumentParser
import Foundation
import PonosConfiguration
import PonosCore

/// Which database a `state` command works on.
struct StateLocation: ParsableArguments {
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Configuration that names the database (default: $EXECUTOR_CONFIG_PATH).", valueName: "file"))
  var config: String?

  @Option(help: ArgumentHelp("The database itself, instead of a configuration.", valueName: "file"))
  var database: String?

  /// Path of the database.
  func path() throws -> String {
    if let database { return database }
    switch try configuration().storage {
    case .sqlite(let path): return path
    case .memory: throw CommandFailure("the configuration keeps nothing on disk (storage.type is memory); there is no database")
    }
  }

  /// The configuration; prints what is wrong with it and exits with 78 when it cannot be used.
  func configuration() throws -> ExecutorConfig {
    let environment = ProcessInfo.processInfo.environment
    guard config != nil || environment["EXECUTOR_CONFIG_PATH"] != nil else {
      throw ValidationError("name the database with --database, or the configuration with --config")
    }
    do throws(ConfigurationErrors) { return try ConfigurationLoader.load(file: config, environment: environment).config } catch {
      throw ConfigurationOptions.refuse(error.findings)
    }
  }
}

/// Whose history of signatures a command moves.
struct OperatorOption: ParsableArguments {
  @Option(
    name: .customLong("operator"),
    help: ArgumentHelp("Address of the operator (default: that of the configuration).", valueName: "address"))
  var address: EthereumAddress?

  func address(_ location: StateLocation) throws -> EthereumAddress {
    if let address { return address }
    guard location.database == nil || location.config != nil else {
      throw ValidationError("with --database, name the operator with --operator")
    }
    return try location.configuration().identity.address
  }
}

/// Writes sizes for people.
enum ByteCount {
  static func text(_ bytes: Int64) -> String {
    for (unit, factor) in [("GiB", Int64(1) << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)] where bytes >= factor {
      return String(format: "%.1f %@", Double(bytes) / Double(factor), unit)
    }
    return "\(bytes) bytes"
  }
}
