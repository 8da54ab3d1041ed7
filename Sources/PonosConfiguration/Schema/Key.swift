import PonosCore

/// A key whose absence has a value: its row of the schema, its default and how its text is read, said once for all of them.
struct Key<Value: Sendable>: Sendable {
  let row: ConfigurationKey
  /// The value of an absent key.
  let standard: Value
  /// The value that a text of the key's kind spells.
  let read: @Sendable (String) -> Value?

  private init(
    _ path: String, _ kind: ValueKind, default standard: Value, written: String, also spellings: [String],
    reload: ConfigurationKey.Reload, _ meaning: String, read: @escaping @Sendable (String) -> Value?
  ) {
    row = ConfigurationKey(path, kind, default: written, also: spellings, reload: reload, meaning)
    self.standard = standard
    self.read = read
  }

  /// The last part of the path.
  var name: String { String(row.path.split(separator: ".").last ?? "") }
}

extension Key<Bool> {
  init(
    _ path: String, default standard: Bool, also spellings: [String] = [], reload: ConfigurationKey.Reload = .restart,
    _ meaning: String
  ) {
    self.init(
      path, .boolean, default: standard, written: "\(standard)", also: spellings, reload: reload, meaning,
      read: ScalarText.boolean)
  }
}

extension Key<Int> {
  init(
    _ path: String, _ range: ClosedRange<Int>, default standard: Int, reload: ConfigurationKey.Reload = .restart,
    _ meaning: String
  ) {
    self.init(
      path, .integer(range), default: standard, written: "\(standard)", also: [], reload: reload, meaning,
      read: ScalarText.integer)
  }
}

extension Key<Double> {
  init(
    _ path: String, _ range: ClosedRange<Double>, default standard: Double, reload: ConfigurationKey.Reload = .restart,
    _ meaning: String
  ) {
    self.init(
      path, .number(range), default: standard, written: ValueKind.plain(standard), also: [], reload: reload, meaning,
      read: ScalarText.number)
  }
}

extension Key<Duration> {
  init(
    _ path: String, _ range: ClosedRange<Duration>, default standard: Duration, reload: ConfigurationKey.Reload = .restart,
    _ meaning: String
  ) {
    self.init(
      path, .duration(range), default: standard, written: standard.formattedForOperators, also: [], reload: reload, meaning,
      read: ScalarText.duration)
  }
}

extension Key<Int64> {
  /// A size in bytes.
  init(
    _ path: String, _ range: ClosedRange<Int64>, default standard: Int64, reload: ConfigurationKey.Reload = .restart,
    _ meaning: String
  ) {
    self.init(
      path, .size(range), default: standard, written: ValueKind.sizeText(standard), also: [], reload: reload, meaning,
      read: ScalarText.size)
  }
}

extension Key<String> {
  /// A text of a kind of its own, such as an address.
  init(
    _ path: String, _ kind: ValueKind, default standard: String, reload: ConfigurationKey.Reload = .restart, _ meaning: String
  ) {
    self.init(path, kind, default: standard, written: standard, also: [], reload: reload, meaning, read: { $0 })
  }
}

extension Key where Value: CaseIterable & RawRepresentable, Value.RawValue == String {
  /// One of the cases, in any case of its letters.
  init(_ path: String, default standard: Value, reload: ConfigurationKey.Reload = .restart, _ meaning: String) {
    self.init(
      path, .choice(Value.allCases.map(\.rawValue)), default: standard, written: standard.rawValue, also: [], reload: reload,
      meaning, read: { text in Value.allCases.first { $0.rawValue.lowercased() == text.lowercased() } })
  }
}
