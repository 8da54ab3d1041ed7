import PonosConfiguration
import PonosExecutor

/// The result of `config check` for a file.
struct ConfigurationVerdict: Encodable {
  struct Finding: Encodable {
    /// `error`, `warning` or `note`.
    var severity: String
    var code: String
    /// Empty when the finding is about the file as a whole.
    var key: String
    /// Where it was written: file and line, variable or flag.
    var origin: String?
    var message: String
    var cure: String?

    init(_ finding: ConfigurationFinding) {
      severity = finding.severity.rawValue
      code = finding.code.rawValue
      key = finding.key
      origin = finding.origin?.description
      message = finding.message
      cure = finding.cure
    }
  }

  var file: String
  var usable: Bool
  var findings: [Finding]
  /// Curve and address or public key of each signing key that was opened; nil when keys were not to be opened.
  var keys: [String]?
  /// The findings as the loader has them.
  private(set) var all: [ConfigurationFinding]

  enum CodingKeys: String, CodingKey {
    case file, usable, findings, keys
  }

  init(file: String, options: ConfigurationOptions, opensKeys: Bool) {
    self.file = file
    do throws(ConfigurationErrors) {
      let loaded = try options.read(file, keystores: opensKeys ? .mustBeThere : .mayBeMissing)
      (all, keys) = opensKeys ? Self.openKeys(of: loaded) : (loaded.notices, nil)
    } catch {
      all = error.findings
    }
    usable = !all.contains { $0.severity == .error }
    findings = all.map(Finding.init)
  }

  /// Adds what the chain says. It is an error when tasks of an AVS would be refused.
  mutating func askChain(_ options: ConfigurationOptions) async {
    do {
      let config = try options.read(file, keystores: .mayBeMissing).config
      let access = try await ChainOptions.access(config)
      let inspector = ChainInspector(access, config: config, keys: keys == nil ? nil : try await KeyRing.load(config))
      add("l1Chain", await inspector.status().problems)
      for (index, avs) in config.avs.enumerated() where avs.registry == nil {
        add("avsPerformers[\(index)]", await inspector.inspect(avs.address).problems)
      }
    } catch {
      add("l1Chain", ["\(error)"])
    }
  }

  private mutating func add(_ key: String, _ problems: [String]) {
    all += problems.map {
      ConfigurationFinding(severity: .error, code: .chainDiffers, key: key, origin: nil, message: $0, cure: nil)
    }
    usable = !all.contains { $0.severity == .error }
    findings = all.map(Finding.init)
  }

  /// One line for people, when the configuration can be used.
  var summary: String {
    let warnings = all.count { $0.severity == .warning }
    return "\(file): can be used\(warnings == 0 ? "" : ", with \(warnings) warning\(warnings == 1 ? "" : "s")")"
  }

  private static func openKeys(of loaded: LoadedConfiguration) -> ([ConfigurationFinding], [String]?) {
    do throws(KeyLoadErrors) {
      return (loaded.notices, try KeyRing(loaded.config).publicDescriptions.values.sorted(by: >))
    } catch {
      return (loaded.notices + error.findings, nil)
    }
  }
}
