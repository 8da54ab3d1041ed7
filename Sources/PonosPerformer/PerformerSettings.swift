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

  public init() {}

  /// The defaults, with `PORT` and `LOG_LEVEL` (`trace` … `critical`) of the process environment over them.
  ///
  /// - Throws: A permanent ``PerformerError`` that names the variable that makes no sense.
  public static func fromEnvironment() throws(PerformerError) -> PerformerSettings {
    try from { name in environmentValue(name) }
  }

  static func from(_ variable: (String) -> String?) throws(PerformerError) -> PerformerSettings {
    var settings = PerformerSettings()
    if let text = variable("PORT"), !text.isEmpty {
      guard let port = UInt16(text) else {
        throw .permanent("PORT is '\(text)': give a port number from 0 to 65535")
      }
      settings.port = Int(port)
    }
    if let text = variable("LOG_LEVEL"), !text.isEmpty {
      guard let level = Logger.Level(rawValue: text.lowercased()) else {
        let names = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
        throw .permanent("LOG_LEVEL is '\(text)': give one of \(names)")
      }
      settings.logLevel = level
    }
    return settings
  }
}
