import PonosCrypto
import PonosSystem

/// A configuration that can be used.
package struct LoadedConfiguration: Sendable {
  package let config: ExecutorConfig
  /// Warnings and notes.
  package let notices: [ConfigurationFinding]
  /// Every setting in effect and where it came from.
  package let settings: [EffectiveSetting]
  /// The file that was read; nil when there was none.
  package let file: String?
}

/// Reads the configuration: defaults, then the file, then the environment, then flags, each beating the one before.
package enum ConfigurationLoader {
  /// Loads and checks everything at once.
  ///
  /// - Parameters:
  ///   - file: Path of a YAML or JSON file; nil takes the variable `EXECUTOR_CONFIG_PATH`, and without it there is no file.
  ///   - environment: Variables of the process; those that start with `EXECUTOR_` count.
  ///   - flags: Settings from the command line.
  ///   - keystores: Decides whether a missing keystore is an error or a warning.
  /// - Throws: `ConfigurationErrors` with all findings when there is at least one error.
  package static func load(
    file: String?, environment: [String: String], flags: [ConfigurationFlag] = [],
    keystores: KeystorePresence = .mayBeMissing
  ) throws(ConfigurationErrors) -> LoadedConfiguration {
    let report = ConfigurationReport()
    let path = file ?? environment[VariableResolver.filePathVariable].flatMap { $0.isEmpty ? nil : $0 }
    return try load(readFile(path, report), from: path, environment, flags, keystores, report)
  }

  /// Loads and checks the content of a file that has been read.
  static func load(bytes: [UInt8], of path: String) throws(ConfigurationErrors) -> LoadedConfiguration {
    let report = ConfigurationReport()
    return try load(parse(bytes, of: path, report), from: path, [:], [], .mayBeMissing, report)
  }

  private static func load(
    _ root: ConfigurationNode, from path: String?, _ environment: [String: String], _ flags: [ConfigurationFlag],
    _ keystores: KeystorePresence, _ report: ConfigurationReport
  ) throws(ConfigurationErrors) -> LoadedConfiguration {
    // Without a readable file every required key is missing, which would only hide the one real error.
    guard !report.hasErrors else { throw ConfigurationErrors(findings: report.sorted) }
    var root = SpellingNormalizer(report: report).normalize(root)
    let schema = ConfigurationSchema.root
    apply(VariableResolver(schema: schema, report: report).assignments(environment), to: &root, report)
    apply(FlagResolver(schema: schema, report: report).assignments(flags), to: &root, report)
    ValueChecker(report: report, file: path).check(root)
    let section = ConfigurationSection(node: root, schema: schema, path: ConfigurationPath())
    let assembly = ConfigurationAssembly(
      root: section, report: report, secrets: SecretFileReader(report: report), keystores: keystores)
    guard let config = assembly.make(), !report.hasErrors else { throw ConfigurationErrors(findings: report.sorted) }
    return LoadedConfiguration(
      config: config, notices: report.sorted, settings: EffectiveSetting.all(in: section), file: path)
  }

  private static func readFile(_ path: String?, _ report: ConfigurationReport) -> ConfigurationNode {
    guard let path else { return .map([], origin: .standard) }
    do {
      return parse(try BoundedFile.read(path, maximum: ConfigurationFile.maxBytes), of: path, report)
    } catch {
      return unreadable(path, error.message, report)
    }
  }

  private static func parse(_ bytes: [UInt8], of path: String, _ report: ConfigurationReport) -> ConfigurationNode {
    guard let text = String(validating: bytes, as: UTF8.self) else { return unreadable(path, "it is not UTF-8 text", report) }
    var file = ConfigurationFile(path: path, report: report)
    return file.parse(text) ?? .map([], origin: .file(path: path, line: 1))
  }

  private static func unreadable(_ path: String, _ problem: String, _ report: ConfigurationReport) -> ConfigurationNode {
    report.add(
      .error, .unreadableFile, origin: nil, "cannot read the configuration file \(path): \(problem)",
      cure: "check the path given with --config or EXECUTOR_CONFIG_PATH, and who may read it")
    return .map([], origin: .file(path: path, line: 1))
  }

  private static func apply(
    _ assignments: [ConfigurationAssignment], to root: inout ConfigurationNode, _ report: ConfigurationReport
  ) {
    for assignment in assignments {
      if case .ignored(let reason) = assignment.node.key.standing {
        report.add(.note, .ignoredKey, key: assignment.path, origin: assignment.origin, "has no effect: \(reason)")
      } else if !root.set(assignment.path.steps[...], to: assignment.text, origin: assignment.origin) {
        report.add(
          .error, .invalidValue, key: assignment.path, origin: assignment.origin, "the list has no entry before this one",
          cure: "number entries from 0 without gaps")
      }
    }
  }
}
