import Foundation
import Logging

/// Makes one JSON object of each line of a log: `time` (RFC 3339, UTC), `level`, `message`, and the metadata under its own names.
struct JSONLogHandler: LogHandler {
  let label: String
  var logLevel = Logger.Level.info
  var metadata: Logger.Metadata = [:]
  /// Takes a finished line, without its newline.
  let write: @Sendable (String) -> Void

  private static let timeFormat = Date.ISO8601FormatStyle(includingFractionalSeconds: true)

  init(label: String, write: @escaping @Sendable (String) -> Void) {
    self.label = label
    self.write = write
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    var fields = metadata
    if let more = event.metadata { fields.merge(more) { $1 } }
    var line = "{\"time\":\(Self.quoted(Date.now.formatted(Self.timeFormat)))"
    line += ",\"level\":\"\(event.level)\",\"message\":\(Self.quoted("\(event.message)"))"
    for (key, value) in fields.sorted(by: { $0.key < $1.key }) {
      line += ",\(Self.quoted(key)):\(Self.quoted("\(value)"))"
    }
    write(line + "}")
  }

  /// `text` as a JSON string.
  static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      case "\n": quoted += "\\n"
      case "\r": quoted += "\\r"
      case "\t": quoted += "\\t"
      case "\u{0}"..<"\u{20}":
        quoted += "\\u" + String(scalar.value + 0x10000, radix: 16).dropFirst()
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}
