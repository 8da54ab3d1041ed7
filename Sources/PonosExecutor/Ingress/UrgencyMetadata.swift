import GRPCCore
import PonosCore

extension TaskUrgency {
  /// Metadata of a call: a whole number, higher first.
  static let priorityKey = "ponos-priority"
  /// Metadata of a call: milliseconds since 1970-01-01T00:00:00Z.
  static let deadlineKey = "ponos-deadline"

  /// Reads the urgency from a call's metadata. A missing entry has its default; an unreadable one is refused, so that no caller
  /// relies on a priority that has no effect.
  init(metadata: Metadata) throws(Rejection) {
    let priority = try Self.integer(
      Self.priorityKey, in: metadata, as: Int32.self, "a whole number from \(Int32.min) to \(Int32.max), higher first")
    let deadline = try Self.integer(
      Self.deadlineKey, in: metadata, as: Int64.self, "a whole number: milliseconds since 1970-01-01T00:00:00Z")
    self.init(priority: priority ?? 0, deadline: deadline)
  }

  /// How a caller says it.
  package var metadata: Metadata {
    var metadata: Metadata = [:]
    if priority != 0 { metadata.addString("\(priority)", forKey: Self.priorityKey) }
    if let deadline { metadata.addString("\(deadline)", forKey: Self.deadlineKey) }
    return metadata
  }

  private static func integer<Value: FixedWidthInteger>(
    _ key: String, in metadata: Metadata, as type: Value.Type, _ wanted: String
  ) throws(Rejection) -> Value? {
    let texts = Array(metadata[stringValues: key])
    guard let text = texts.first else { return nil }
    guard texts.count == 1 else { throw .malformed(field: key, problem: "is given \(texts.count) times; give it once") }
    guard let value = Value(text) else { throw .malformed(field: key, problem: "must be \(wanted)") }
    return value
  }
}
