import Logging
import PonosTesting

/// Keeps the level and the text of every message.
struct CollectingLogHandler: LogHandler {
  private let messages: Collected<String>
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.trace

  init(_ messages: Collected<String>) { self.messages = messages }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    messages.append("\(event.level) \(event.message)")
  }
}
