public import Logging

/// How a performer listens, how much it takes on at a time, and how it stops.
public struct PerformerSettings: Sendable {
  /// IPv4 address to bind. Inside a container that is every address: only the executor can reach it.
  public var host = "0.0.0.0"
  /// TCP port; 0 lets the system choose. Executors expect 8080.
  public var port = 8080
  /// Tasks worked on at a time; one more is refused at once, and the executor tries it again. nil for no limit of our own
  /// (the executor has one per performer).
  public var maxConcurrentTasks: Int?
  /// How long running tasks may still take after SIGTERM. Executors kill a container 10 seconds after the signal.
  public var drainTimeout = Duration.seconds(8)
  /// Lines below this level are not written.
  public var logLevel = Logger.Level.info

  /// What was odd about the variables these come from; logged once the server runs.
  private(set) var warnings: [String] = []

  public init() {}

  /// The defaults, with `PERFORMER_PORT` and `LOG_LEVEL` (`trace`, `debug`, `info`, `notice`, `warning` or `warn`, `error`,
  /// `critical`) of the process environment over them.
  ///
  /// Deployment tools hand a performer the variables of the shell they run in, where `PORT` and a `LOG_LEVEL` of some other
  /// program are common: the first is not looked at, and an unknown level only brings a warning.
  ///
  /// - Throws: A permanent ``PerformerError`` when `PERFORMER_PORT` is not a port number.
  public static func fromEnvironment() throws(PerformerError) -> PerformerSettings {
    try from { name in environmentValue(name) }
  }

  static func from(_ variable: (String) -> String?) throws(PerformerError) -> PerformerSettings {
    var settings = PerformerSettings()
    if let text = variable("PERFORMER_PORT"), !text.isEmpty {
      guard let port = UInt16(text) else {
        throw .permanent("PERFORMER_PORT is '\(text)': give a port number from 0 to 65535")
      }
      settings.port = Int(port)
    }
    if let text = variable("LOG_LEVEL"), !text.isEmpty { settings.setLogLevel(text) }
    return settings
  }

  private mutating func setLogLevel(_ text: String) {
    let name = text.lowercased()
    if let level = name == "warn" ? .warning : Logger.Level(rawValue: name) {
      logLevel = level
    } else {
      let names = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
      warnings.append("LOG_LEVEL is '\(text)', which is not a level, so it is \(logLevel): give one of \(names)")
    }
  }
}
