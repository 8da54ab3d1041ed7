import Logging

/// Keeps the level and the text of every message.
package struct CollectingLogHandler: LogHandler {
  private let messages: Collected<String>
  package var metadata: Logger.Metadata = [:]
  package var logLevel = Logger.Level.trace

  package init(_ messages: Collected<String>) { self.messages = messages }

  package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  package func log(event: LogEvent) {
    messages.append("\(event.level) \(event.message)")
  }
}
