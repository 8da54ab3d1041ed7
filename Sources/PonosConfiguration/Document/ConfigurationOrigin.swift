/// Where the value of a setting was written.
package enum ConfigurationOrigin: Hashable, Sendable, CustomStringConvertible {
  /// Nobody wrote it: the schema's default.
  case standard
  /// A line of the configuration file, counted from 1.
  case file(path: String, line: Int)
  /// A variable of the environment.
  case variable(String)
  /// A command-line flag, with its dashes.
  case flag(String)

  /// Greater beats smaller: defaults, file, environment, flags.
  package var precedence: Int {
    switch self {
    case .standard: 0
    case .file: 1
    case .variable: 2
    case .flag: 3
    }
  }

  package var description: String {
    switch self {
    case .standard: "default"
    case .file(let path, let line): "\(path):\(line)"
    case .variable(let name), .flag(let name): name
    }
  }
}
