import Foundation
import Testing

/// Every command: its help, its options, what it says when something is wrong.
@Suite struct CommandLineTests {
  @Test(arguments: [
    ["run"], ["config", "check"], ["config", "show"], ["task", "submit"], ["performer", "list"], ["performer", "deploy"],
    ["performer", "remove"], ["performer", "image"], ["keys", "new"], ["keys", "import"], ["keys", "show"], ["version"],
    ["state", "backup"], ["state", "verify"], ["state", "compact"], ["state", "export-signed"], ["state", "import-signed"],
  ])
  func everyCommandHelpsWithExamplesAndIsDocumented(command: [String]) throws {
    let process = try Program.run(command[0], command.count > 1 ? command[1] : "--help", "--help")
    #expect(process.status == 0)
    #expect(process.output.contains("EXAMPLES"))
    let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let document = try String(contentsOf: repository.appending(path: "docs/cli.md"), encoding: .utf8)
    #expect(document.contains("`\(command.joined(separator: " "))"))
  }

  @Test func versionIsDataForPeopleAndPrograms() throws {
    let people = try Program.run("version")
    #expect(people.output.hasPrefix("ponos-executor "))
    let programs = try JSONSerialization.jsonObject(with: Data(try Program.run("version", "-o", "json").output.utf8))
    let version = try #require((programs as? [String: Any])?["version"] as? String)
    #expect(people.output == "ponos-executor \(version)\n")
  }

  @Test func wrongUsageIs64() throws {
    let ended = try Program.run("keys", "new", "--curve", "ed25519", "--output", "x")
    #expect(ended.status == 64)
    #expect(ended.errors.contains("--curve"))
  }

  @Test func anExecutorThatIsNotThereIsAReadableFailure() throws {
    let ended = try Program.run("performer", "list", "--endpoint", "127.0.0.1:1", "--timeout", "5")
    #expect(ended.status == 1)
    #expect(ended.errors.hasPrefix("Error: 127.0.0.1:1: "))
    #expect(ended.errors.contains("--endpoint"))
  }

  /// A daemon without managementServerGrpcPort serves the management API on its task port.
  @Test(arguments: ["list", "deploy", "remove"])
  func theManagementEndpointIsTheDaemonsDefault(command: String) throws {
    let help = try Program.run("performer", command, "--help").output
    #expect(help.contains("127.0.0.1:9090"))
    #expect(!help.contains("127.0.0.1:9091)"))
  }

  @Test func removalsAreDataForProgramsToo() throws {
    let ended = try Program.run("performer", "remove", "x", "-o", "json", "--endpoint", "127.0.0.1:1", "--timeout", "5")
    #expect(ended.status == 1, "the option is known, the executor is not there")
  }

  @Test func variablesOfAPerformerMayComeFromElsewhere() throws {
    try Program.withDirectory { directory in
      try "MODE=strict\nAPI_TOKEN=canary\n".write(toFile: directory + "/square.env")
      let ended = try Program.run(
        "performer", "deploy", "--avs", "0x" + String(repeating: "4", count: 40), "--registry", "r", "--digest", "d",
        "--env-file", directory + "/square.env", "--env", "FROM_HERE", "--endpoint", "127.0.0.1:1", "--timeout", "5",
        environment: ["FROM_HERE": "canary"])
      #expect(ended.status == 1)
      #expect(ended.errors.contains("127.0.0.1:1: "))
      #expect(ended.errors.contains("API_TOKEN will be dropped"))
      #expect(!ended.errors.contains("canary"))
    }
  }

  /// Submits a task, signed with a key of the test's own, to a port where nobody listens.
  private func submit(_ options: [String] = []) throws -> Program.Ended {
    let directory = FileManager.default.temporaryDirectory.appending(path: "ponos-cli-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    let key = directory.appending(path: "key.hex").path
    try String(repeating: "1", count: 64).write(toFile: key)
    let address = "0x" + String(repeating: "2", count: 40)
    return try Program.run(
      [
        "task", "submit", "--avs", address, "--aggregator-address", address, "--executor-address", address, "--key-file", key,
        "--endpoint", "127.0.0.1:1", "--timeout", "5",
      ] + options)
  }

  private let address = "0x" + String(repeating: "2", count: 40)
  /// The generator of G2.
  private let publicKey =
    "0x198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c21800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed"
    + "090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa"

  @Test func answersAreNotTakenOnTrustByAccident() throws {
    let ended = try submit()
    #expect(ended.status == 1)
    #expect(ended.errors.contains("--no-verify"))
  }

  /// The contract is part of ECDSA certificates only, and may be one we do not know.
  @Test func chainsThatAreNotKnownCanBeVerifiedFor() throws {
    let refused = try submit(["--chain-id", "99", "--executor-ecdsa-address", address])
    #expect(refused.errors.contains("--ecdsa-certificate-verifier"))
    for options in [
      ["--executor-bn254-public-key", publicKey],
      ["--executor-ecdsa-address", address, "--ecdsa-certificate-verifier", address],
    ] {
      let ended = try submit(["--chain-id", "99"] + options)
      #expect(ended.status == 1)
      #expect(!ended.errors.contains("--chain-id"), "\(ended.errors)")
      #expect(ended.output.contains("1 submitted, 0 answered"), "\(ended.output) \(ended.errors)")
    }
  }

  @Test func optionsOfStreamsFitTogether() throws {
    let key = ["--executor-ecdsa-address", address]
    for options in [
      ["--stream", "--listen", "127.0.0.1:0"], ["--stream", "--retry"],
    ] {
      #expect(try submit(key + options).status == 64, "\(options)")
    }
    for options in [["--stream", "--priority", "3"], ["--priority", "3", "--deadline", "99"]] {
      let ended = try submit(key + options)
      #expect(ended.status == 1)
      #expect(ended.output.contains("1 submitted, 0 answered"), "\(ended.output) \(ended.errors)")
    }
  }

  @Test func anAnswerIsCheckedAgainstOneKey() throws {
    let ended = try submit(["--executor-ecdsa-address", address, "--executor-bn254-public-key", publicKey])
    #expect(ended.status == 64)
  }
}
