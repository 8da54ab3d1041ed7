import Foundation
import Logging

/// Turns log events into lines. What came from outside cannot forge a line: control characters are escaped in both formats.
package struct LineLogHandler: LogHandler {
  package var logLevel = Logger.Level.info
  package var metadata = Logger.Metadata()
  package var metadataProvider: Logger.MetadataProvider?

  private let label: String
  private let format: LogFormat
  private let now: @Sendable () -> Date
  private let write: @Sendable (String) -> Void

  /// `write` gets each line with its line feed.
  package init(
    label: String, format: LogFormat, now: @escaping @Sendable () -> Date = { Date() },
    write: @escaping @Sendable (String) -> Void
  ) {
    self.label = label
    self.format = format
    self.now = now
    self.write = write
  }

  package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  package func log(event: LogEvent) {
    var fields = metadata
    if let provided = metadataProvider?.get() { fields.merge(provided) { _, new in new } }
    if let given = event.metadata { fields.merge(given) { _, new in new } }
    if let error = event.error, fields[LogKey.error] == nil { fields[LogKey.error] = "\(error)" }
    let pairs = fields.sorted { $0.key < $1.key }
    let message = "\(event.message)"
    switch format {
    case .text: write(text(event.level, message, pairs))
    case .json: write(json(event.level, message, pairs))
    }
  }

  private func text(_ level: Logger.Level, _ message: String, _ pairs: [(key: String, value: Logger.MetadataValue)]) -> String {
    let name = level.rawValue.uppercased()
    var line = "\(timestamp()) \(name)\(String(repeating: " ", count: max(0, 8 - name.count))) "
    line += "\(LogText.escapedControls(label)): \(LogText.escapedControls(message))"
    for (key, value) in pairs { line += " \(LogText.escapedControls(key))=\(LogText.textValue("\(value)"))" }
    return line + "\n"
  }

  /// Keys of every line, which fields may not take.
  private static let fixedKeys: Set<String> = ["time", "level", "logger", "message"]

  private func json(_ level: Logger.Level, _ message: String, _ pairs: [(key: String, value: Logger.MetadataValue)]) -> String {
    var line = "{\"time\":\"\(timestamp())\",\"level\":\"\(level.rawValue)\",\"logger\":\(LogText.json(label))"
    line += ",\"message\":\(LogText.json(message))"
    for (key, value) in pairs {
      line += ",\(LogText.json(Self.fixedKeys.contains(key) ? key + "_" : key)):\(Self.json(value))"
    }
    return line + "}\n"
  }

  private static func json(_ value: Logger.MetadataValue) -> String {
    switch value {
    case .string(let text): LogText.json(text)
    case .stringConvertible(let value): LogText.json("\(value)")
    case .array(let values): "[" + values.map(json).joined(separator: ",") + "]"
    case .dictionary(let values):
      "{" + values.sorted { $0.key < $1.key }.map { "\(LogText.json($0.key)):\(json($0.value))" }.joined(separator: ",") + "}"
    }
  }

  /// UTC with milliseconds, by RFC 3339.
  private func timestamp() -> String {
    let milliseconds = Int64((now().timeIntervalSince1970 * 1000).rounded(.down))
    var seconds = time_t(milliseconds / 1000)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    let date = [(Int(parts.tm_year) + 1900, 4), (Int(parts.tm_mon) + 1, 2), (Int(parts.tm_mday), 2)]
    let time = [(Int(parts.tm_hour), 2), (Int(parts.tm_min), 2), (Int(parts.tm_sec), 2)]
    return "\(Self.digits(date, "-"))T\(Self.digits(time, ":")).\(Self.digits([(Int(milliseconds % 1000), 3)], ""))Z"
  }

  private static func digits(_ numbers: [(value: Int, width: Int)], _ separator: String) -> String {
    numbers.map { number in
      let text = String(number.value)
      return String(repeating: "0", count: max(0, number.width - text.count)) + text
    }.joined(separator: separator)
  }
}
