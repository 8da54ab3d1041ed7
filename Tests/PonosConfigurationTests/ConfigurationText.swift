import Foundation
@testable import PonosConfiguration

/// Loads configurations that tests write down as text.
enum ConfigurationText {
  /// The repository's root.
  static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// Path of a file under `Tests/Configurations`.
  static func sample(_ name: String) -> String {
    repository.appending(path: "Tests/Configurations/\(name)").path(percentEncoded: false)
  }

  /// Enough for an executor without AVSs; 14 lines. The key is public and for tests only.
  static let minimal = """
    grpcPort: 9090
    operator:
      address: "0x1111111111111111111111111111111111111111"
      signingKeys:
        ecdsa:
          privateKey: "0x3333333333333333333333333333333333333333333333333333333333333333"
    l1Chain:
      chainId: 31337

    """

  /// Loads `text` from a file of its own, which is gone afterwards.
  static func load(
    _ text: String, environment: [String: String] = [:], flags: [ConfigurationFlag] = [], name: String = "executor.yaml"
  ) throws -> LoadedConfiguration {
    let directory = FileManager.default.temporaryDirectory.appending(path: "ponos-config-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    let file = directory.appending(path: name)
    try Data(text.utf8).write(to: file)
    return try ConfigurationLoader.load(file: file.path(percentEncoded: false), environment: environment, flags: flags)
  }

  /// The findings of a configuration that must not load.
  static func findings(
    _ text: String, environment: [String: String] = [:], flags: [ConfigurationFlag] = [], name: String = "executor.yaml"
  ) throws -> [ConfigurationFinding] {
    do {
      let loaded = try load(text, environment: environment, flags: flags, name: name)
      throw LoadedAfterAll(config: "\(loaded.config)")
    } catch let errors as ConfigurationErrors {
      return errors.findings
    }
  }

  struct LoadedAfterAll: Error {
    let config: String
  }

  /// Runs `body` with a file that holds `content`.
  static func withFile<R>(_ content: String, _ body: (String) throws -> R) throws -> R {
    let file = FileManager.default.temporaryDirectory.appending(path: "ponos-secret-\(UUID().uuidString)")
    try Data(content.utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    return try body(file.path(percentEncoded: false))
  }
}

extension [ConfigurationFinding] {
  /// The only error about `key`; nil when there is none or more than one.
  func error(_ key: String) -> ConfigurationFinding? {
    let errors = filter { $0.severity == .error && $0.key == key }
    return errors.count == 1 ? errors[0] : nil
  }

  func about(_ key: String) -> [ConfigurationFinding] {
    filter { $0.key == key }
  }
}
