/// One row of the schema: a key, what it may hold and what it means. Documentation and checks are made from it.
package struct ConfigurationKey: Sendable {
  package enum Standing: Sendable, Equatable {
    case used
    /// Accepted because existing files have it; the text says why it does nothing here.
    case ignored(because: String)
  }

  /// How a new value takes effect.
  package enum Reload: String, Sendable, Equatable {
    /// The value is asked for at each use, so a running daemon can be given another one.
    case live
    /// The value shapes what is made at start.
    case restart
  }

  /// Full path; `[]` stands for the number of an entry: `avsPerformers[].image.tag`.
  package let path: String
  package let kind: ValueKind
  /// Must be there whenever the group it belongs to is.
  package let isRequired: Bool
  /// The value of an absent key, as a file would write it.
  package let standard: String?
  /// What an absent key means, where that is not a plain value.
  package let standardNote: String?
  /// One or two sentences for the reference.
  package let meaning: String
  /// Other names of the last part of the path.
  package let spellings: [String]
  /// Never shown in errors and dumps.
  package let isSecret: Bool
  package let standing: Standing
  /// nil for groups, lists and keys that do nothing.
  package let reload: Reload?

  init(
    _ path: String, _ kind: ValueKind, required: Bool = false, default standard: String? = nil,
    absent standardNote: String? = nil, also spellings: [String] = [], secret: Bool = false,
    reload: Reload = .restart, _ meaning: String
  ) {
    self.path = path
    self.kind = kind
    self.isRequired = required
    self.standard = standard
    self.standardNote = standardNote
    self.meaning = meaning
    self.spellings = spellings
    self.isSecret = secret
    self.standing = .used
    self.reload = kind == .group || kind == .list ? nil : reload
  }

  /// A key that is accepted and does nothing.
  init(ignored path: String, also spellings: [String] = [], because reason: String) {
    self.path = path
    self.kind = .anything
    self.isRequired = false
    self.standard = nil
    self.standardNote = nil
    self.meaning = reason
    self.spellings = spellings
    self.isSecret = true
    self.standing = .ignored(because: reason)
    self.reload = nil
  }
}
