import Foundation
import Testing

/// `config check` and the start of `run`.
@Suite struct ConfigurationCommandTests {
  /// A configuration with an ECDSA keystore; the file and the text of its password file.
  private func withConfiguration(
    password: String, passwordFile: String, _ body: (_ file: String, _ directory: String) throws -> Void
  ) throws {
    try Program.withDirectory { directory in
      try password.write(toFile: directory + "/made.password")
      try passwordFile.write(toFile: directory + "/used.password")
      let made = try Program.run(
        "keys", "new", "--curve", "ecdsa", "--output", directory + "/ecdsa.json", "--password-file",
        directory + "/made.password", "--light")
      #expect(made.status == 0, "\(made.errors)")
      try """
      operator:
        address: "0x1111111111111111111111111111111111111111"
        signingKeys:
          ecdsa: {keystore: {keystoreFile: \(directory)/ecdsa.json, passwordFile: \(directory)/used.password}}
      l1Chain: {chainId: 31337}
      storage: {type: sqlite, path: \(directory)/executor.db}
      operations: {port: 0}
      grpcPort: 0
      """.write(toFile: directory + "/executor.yaml")
      try body(directory + "/executor.yaml", directory)
    }
  }

  private func json(_ ended: Program.Ended) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(ended.output.utf8)) as? [String: Any])
  }

  @Test func anUnusableConfigurationIs78WithEveryFinding() throws {
    try Program.withDirectory { directory in
      let file = directory + "/executor.yaml"
      try "grpcPort: abc\noperator:\n  address: \"0x12\"\n".write(toFile: file)
      let ended = try Program.run("config", "check", file)
      #expect(ended.status == 78)
      #expect(ended.errors.contains("\(file):1: error: grpcPort"))
      #expect(ended.errors.contains("operator.address"))

      let document = try Program.run("config", "check", file, "-o", "json")
      #expect(document.status == 78)
      #expect(document.errors.isEmpty)
      let verdict = try json(document)
      #expect(verdict["usable"] as? Bool == false)
      let findings = try #require(verdict["findings"] as? [[String: Any]])
      let finding = try #require(findings.first { $0["key"] as? String == "grpcPort" })
      #expect(finding["severity"] as? String == "error")
      #expect(finding["code"] as? String == "invalid_value")
      #expect(finding["origin"] as? String == "\(file):1")
      #expect((finding["cure"] as? String)?.isEmpty == false)
    }
  }

  @Test func keysAreOpenedOnRequest() throws {
    try withConfiguration(password: "pw", passwordFile: "pw\n") { file, _ in
      let closed = try Program.run("config", "check", file)
      #expect(closed.status == 0, "\(closed.errors)")
      #expect(!closed.output.contains("opened"))
      let opened = try Program.run("config", "check", file, "--open-keys")
      #expect(opened.status == 0, "\(opened.errors)")
      #expect(opened.output.hasPrefix("opened ecdsa 0x"))
      let verdict = try json(try Program.run("config", "check", file, "--open-keys", "-o", "json"))
      #expect(verdict["usable"] as? Bool == true)
      #expect((verdict["keys"] as? [String])?.count == 1)
    }
  }

  @Test func aKeyThatCannotBeOpenedIs78() throws {
    try withConfiguration(password: "right-canary", passwordFile: "wrong-canary") { file, directory in
      #expect(try Program.run("config", "check", file).status == 0)
      for arguments in [["config", "check", file, "--open-keys"], ["run", "--config", file]] {
        let ended = try Program.run(arguments)
        #expect(ended.status == 78, "\(ended.errors)")
        #expect(ended.errors.contains("operator.signingKeys.ecdsa: \(directory)/ecdsa.json: the password does not open"))
        #expect(!ended.errors.contains("canary"))
      }
      let verdict = try json(try Program.run("config", "check", file, "--open-keys", "-o", "json"))
      #expect(verdict["usable"] as? Bool == false)
      #expect((verdict["findings"] as? [[String: Any]])?.last?["code"] as? String == "unusable_key")
    }
  }

  @Test func aMissingKeystoreIs78WhereItIsNeeded() throws {
    try withConfiguration(password: "pw", passwordFile: "pw") { file, directory in
      try FileManager.default.removeItem(atPath: directory + "/ecdsa.json")
      let elsewhere = try Program.run("config", "check", file)
      #expect(elsewhere.status == 0)
      #expect(elsewhere.errors.contains("warning"))
      for arguments in [["config", "check", file, "--open-keys"], ["run", "--config", file]] {
        let ended = try Program.run(arguments)
        #expect(ended.status == 78)
        #expect(ended.errors.contains("error: operator.signingKeys.ecdsa.keystore.keystoreFile: there is no readable file"))
      }
    }
  }

  /// One rule for password files: `keys` writes with one what the daemon opens with it, and with the bare password.
  @Test(arguments: ["pw", "pw\n", "pw\r\n", "pw\n\n", " p w \n"])
  func passwordFilesMeanTheSameEverywhere(content: String) throws {
    try withConfiguration(password: content, passwordFile: content) { file, directory in
      #expect(try Program.run("config", "check", file, "--open-keys").status == 0)
      let bare = content.reversed().drop { $0.isNewline }.reversed()
      let shown = try Program.run(
        "keys", "show", "--curve", "ecdsa", directory + "/ecdsa.json", environment: ["PONOS_KEYSTORE_PASSWORD": String(bare)])
      #expect(shown.status == 0, "\(shown.errors)")
    }
  }

  @Test func secretsAreRefusedAsArguments() throws {
    try withConfiguration(password: "pw", passwordFile: "pw") { file, _ in
      let digits = String(repeating: "3", count: 64)
      let ended = try Program.run("config", "check", file, "--set", "operator.signingKeys.bls.privateKey=\(digits)")
      #expect(ended.status == 78)
      #expect(ended.errors.contains("operator.signingKeys.bls.privateKeyFile"))
      #expect(!ended.errors.contains(digits) && !ended.output.contains(digits))
    }
  }
}
