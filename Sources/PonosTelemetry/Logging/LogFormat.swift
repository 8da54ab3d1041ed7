/// How log lines look.
package enum LogFormat: String, Sendable, CaseIterable {
  /// For people: time, level, message, then `key=value` pairs.
  case text
  /// For machines: one JSON object a line.
  case json
}
