import Foundation
import Testing

/// The built program as a shell sees it.
@Suite struct CommandLineTests {
  private struct Ended {
    let status: Int32
    let output: String
    let errors: String
  }

  /// The program stands beside the test bundle.
  private static let program = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    .deletingLastPathComponent().appending(path: "ponos-executor")

  private func run(_ arguments: String..., environment: [String: String] = [:]) throws -> Ended {
    let process = Process()
    process.executableURL = Self.program
    process.arguments = arguments
    process.environment = environment
    process.standardInput = FileHandle.nullDevice
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    let complaints = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return Ended(status: process.terminationStatus, output: text, errors: complaints)
  }

  private func withDirectory(_ body: (String) throws -> Void) throws {
    let directory = FileManager.default.temporaryDirectory.appending(path: "ponos-cli-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    try body(directory.path)
  }

  @Test(arguments: [
    ["run"], ["config", "check"], ["config", "show"], ["task", "submit"], ["performer", "list"], ["performer", "deploy"],
    ["performer", "remove"], ["keys", "new"], ["keys", "import"], ["keys", "show"], ["version"],
  ])
  func everyCommandHelpsWithExamplesAndIsDocumented(command: [String]) throws {
    let process = try run(command[0], command.count > 1 ? command[1] : "--help", "--help")
    #expect(process.status == 0)
    #expect(process.output.contains("EXAMPLES"))
    let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let document = try String(contentsOf: repository.appending(path: "docs/cli.md"), encoding: .utf8)
    #expect(document.contains("`\(command.joined(separator: " "))"))
  }

  @Test func versionIsDataForPeopleAndPrograms() throws {
    let people = try run("version")
    #expect(people.output.hasPrefix("ponos-executor "))
    let programs = try JSONSerialization.jsonObject(with: Data(try run("version", "-o", "json").output.utf8))
    let version = try #require((programs as? [String: Any])?["version"] as? String)
    #expect(people.output == "ponos-executor \(version)\n")
  }

  @Test func wrongUsageIs64() throws {
    let ended = try run("keys", "new", "--curve", "ed25519", "--output", "x")
    #expect(ended.status == 64)
    #expect(ended.errors.contains("--curve"))
  }

  @Test func anUnusableConfigurationIs78WithEveryFinding() throws {
    try withDirectory { directory in
      let file = directory + "/executor.yaml"
      try Data("grpcPort: abc\noperator:\n  address: \"0x12\"\n".utf8).write(to: URL(filePath: file))
      let ended = try run("config", "check", file)
      #expect(ended.status == 78)
      #expect(ended.errors.contains("\(file):1: error: grpcPort"))
      #expect(ended.errors.contains("operator.address"))
    }
  }

  @Test(arguments: ["ecdsa", "bn254"])
  func aKeyIsMadeShownAndNeverReplaced(curve: String) throws {
    try withDirectory { directory in
      let (file, password) = (directory + "/key.json", directory + "/password")
      try Data("correct horse\n".utf8).write(to: URL(filePath: password))
      let made = try run(
        "keys", "new", "--curve", curve, "--output", file, "--password-file", password, "--light", "-o", "json")
      #expect(made.status == 0, "\(made.errors)")
      let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
      #expect(mode == 0o600)
      let shown = try run("keys", "show", "--curve", curve, file, "--password-file", password, "-o", "json")
      #expect(shown.output == made.output)
      let again = try run("keys", "new", "--curve", curve, "--output", file, "--password-file", password, "--light")
      #expect(again.status == 1)
      #expect(again.errors.contains("exists already"))
      let wrong = try run(
        "keys", "show", "--curve", curve, file, environment: ["PONOS_KEYSTORE_PASSWORD": "battery staple"])
      #expect(wrong.status == 1)
      #expect(wrong.errors.lowercased().contains("password"))
      #expect(!wrong.errors.contains("battery staple"))
    }
  }

  @Test func anExecutorThatIsNotThereIsAReadableFailure() throws {
    let ended = try run("performer", "list", "--endpoint", "127.0.0.1:1", "--timeout", "5")
    #expect(ended.status == 1)
    #expect(ended.errors.hasPrefix("Error: 127.0.0.1:1: "))
  }

  @Test func answersAreNotTakenOnTrustByAccident() throws {
    try withDirectory { directory in
      let key = directory + "/key.hex"
      try Data(String(repeating: "1", count: 64).utf8).write(to: URL(filePath: key))
      let address = "0x" + String(repeating: "2", count: 40)
      let ended = try run(
        "task", "submit", "--avs", address, "--aggregator-address", address, "--executor-address", address, "--key-file", key)
      #expect(ended.status == 1)
      #expect(ended.errors.contains("--no-verify"))
    }
  }
}
