/// One thing to say about a configuration: what is wrong, where it was written, and what to do. It never holds a secret.
package struct ConfigurationFinding: Sendable, Equatable, CustomStringConvertible {
  package enum Severity: String, Sendable {
    /// The daemon does not start.
    case error
    /// The daemon starts, but probably not as the operator means it.
    case warning
    /// For information; nothing has to be done.
    case note
  }

  package enum Code: String, Sendable {
    /// The configuration file cannot be read.
    case unreadableFile = "unreadable_file"
    /// The configuration file is not YAML or JSON.
    case invalidSyntax = "invalid_syntax"
    /// A file that holds a secret or a key cannot be read.
    case unreadableSecret = "unreadable_secret"
    case unknownKey = "unknown_key"
    /// Accepted for compatibility; has no effect.
    case ignoredKey = "ignored_key"
    case missingKey = "missing_key"
    case invalidValue = "invalid_value"
    /// A secret where others can read it.
    case exposedSecret = "exposed_secret"
    /// A signing key that cannot be opened.
    case unusableKey = "unusable_key"
    /// The chain says that tasks would be refused, or cannot be asked.
    case chainDiffers = "chain_differs"
    /// Two settings, or two spellings of one, contradict each other.
    case conflict
    /// Known, but not available in this version.
    case unsupported
    /// A listener that others than this host can use without a proof.
    case openDoor = "open_door"
    /// Correct, with a consequence the operator may not expect.
    case consequence
  }

  package let severity: Severity
  package let code: Code
  /// Path of the key; empty when the finding is about the file as a whole.
  package let key: String
  /// nil when the value was not written anywhere.
  package let origin: ConfigurationOrigin?
  package let message: String
  /// What to do; nil when the message says it all.
  package let cure: String?

  package init(
    severity: Severity, code: Code, key: String, origin: ConfigurationOrigin?, message: String, cure: String?
  ) {
    self.severity = severity
    self.code = code
    self.key = key
    self.origin = origin
    self.message = message
    self.cure = cure
  }

  /// `executor.yaml:3: error: grpcPort: 'abc' is not a whole number; write …`, on one line.
  package var description: String {
    var text = ""
    if let origin { text += "\(origin): " }
    text += "\(severity.rawValue): "
    if !key.isEmpty { text += "\(key): " }
    text += message
    if let cure { text += "; \(cure)" }
    return text
  }
}

/// Every finding of a configuration that cannot be used, at least one of them an error.
package struct ConfigurationErrors: Error, Sendable, CustomStringConvertible {
  /// Errors, warnings and notes together, in the order of `ConfigurationReport.sorted`.
  package let findings: [ConfigurationFinding]

  package var errors: [ConfigurationFinding] {
    findings.filter { $0.severity == .error }
  }

  /// One line per finding.
  package var description: String {
    findings.map(\.description).joined(separator: "\n")
  }
}

/// Collects findings while a configuration is read. Lives as long as one load, on one thread.
final class ConfigurationReport {
  private(set) var findings: [ConfigurationFinding] = []

  var hasErrors: Bool {
    findings.contains { $0.severity == .error }
  }

  func add(
    _ severity: ConfigurationFinding.Severity, _ code: ConfigurationFinding.Code, key: ConfigurationPath = .init(),
    origin: ConfigurationOrigin?, _ message: String, cure: String? = nil
  ) {
    let finding = ConfigurationFinding(
      severity: severity, code: code, key: key.description, origin: origin, message: message, cure: cure)
    if !findings.contains(finding) { findings.append(finding) }
  }

  /// Findings of the file by line, then those of variables and flags, then missing keys.
  var sorted: [ConfigurationFinding] {
    func rank(_ finding: ConfigurationFinding) -> (Int, Int) {
      switch finding.origin {
      case .file(_, let line): (0, line)
      case .variable: (1, 0)
      case .flag: (2, 0)
      case .standard, nil: (3, 0)
      }
    }
    return findings.enumerated().sorted { left, right in
      let (a, b) = (rank(left.element), rank(right.element))
      return a == b ? left.offset < right.offset : a < b
    }.map(\.element)
  }
}
