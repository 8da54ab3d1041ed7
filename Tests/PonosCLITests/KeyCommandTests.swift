import Foundation
import Testing

/// `keys`, and passwords and keys given to any command.
@Suite struct KeyCommandTests {
  @Test(arguments: ["ecdsa", "bn254"])
  func aKeyIsMadeShownAndNeverReplaced(curve: String) throws {
    try Program.withDirectory { directory in
      let (file, password) = (directory + "/key.json", directory + "/password")
      try "correct horse\n".write(toFile: password)
      let made = try Program.run(
        "keys", "new", "--curve", curve, "--output", file, "--password-file", password, "--light", "-o", "json")
      #expect(made.status == 0, "\(made.errors)")
      let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
      #expect(mode == 0o600)
      let shown = try Program.run("keys", "show", "--curve", curve, file, "--password-file", password, "-o", "json")
      #expect(shown.output == made.output)
      let again = try Program.run("keys", "new", "--curve", curve, "--output", file, "--password-file", password, "--light")
      #expect(again.status == 1)
      #expect(again.errors.contains("exists already"))
      let wrong = try Program.run(
        "keys", "show", "--curve", curve, file, environment: ["PONOS_KEYSTORE_PASSWORD": "battery staple"])
      #expect(wrong.status == 1)
      #expect(wrong.errors.lowercased().contains("password"))
      #expect(!wrong.errors.contains("battery staple"))
    }
  }

  @Test func aKeyIsImported() throws {
    try Program.withDirectory { directory in
      try ("0x" + String(repeating: "1", count: 64) + "\n").write(toFile: directory + "/key.hex")
      let imported = try Program.run(
        "keys", "import", "--curve", "ecdsa", "--key-file", directory + "/key.hex", "--output", directory + "/key.json",
        "--light", environment: ["PONOS_KEYSTORE_PASSWORD": "pw"])
      #expect(imported.status == 0, "\(imported.errors)")
      #expect(imported.output.contains("0x19e7e376e7c213b7e7e7e46cc70a5dd086daff2a"))
    }
  }

  @Test func anEmptyPasswordIsNoAccident() throws {
    try Program.withDirectory { directory in
      let (file, password) = (directory + "/key.json", directory + "/password")
      try "\n".write(toFile: password)
      let refused = try Program.run(
        "keys", "new", "--curve", "ecdsa", "--output", file, "--password-file", password, "--light")
      #expect(refused.status == 1)
      #expect(refused.errors.contains("--empty-password"))
      #expect(!FileManager.default.fileExists(atPath: file))
      let made = try Program.run("keys", "new", "--curve", "ecdsa", "--output", file, "--empty-password", "--light")
      #expect(made.status == 0, "\(made.errors)")
      let shown = try Program.run("keys", "show", "--curve", "ecdsa", file, environment: ["PONOS_KEYSTORE_PASSWORD": ""])
      #expect(shown.status == 0, "\(shown.errors)")
    }
  }

  /// A file-size limit stands in for a full disk.
  @Test func aFailedWriteLeavesNoFile() throws {
    try Program.withDirectory { directory in
      let (file, password) = (directory + "/key.json", directory + "/password")
      try "pw".write(toFile: password)
      let ended = try Program.run(
        after: "trap '' XFSZ; ulimit -f 0", "keys", "new", "--curve", "ecdsa", "--output", file, "--password-file", password,
        "--light")
      #expect(ended.status == 1)
      #expect(ended.errors.contains("\(file) cannot be written"), "\(ended.errors)")
      #expect(ended.output.isEmpty)
      #expect(!FileManager.default.fileExists(atPath: file))
    }
  }

  @Test(arguments: [
    ["keys", "show", "--curve", "ecdsa", "/dev/null", "--password-file"],
    ["keys", "import", "--curve", "ecdsa", "--output", "/nonexistent/x", "--key-file"],
    ["keys", "show", "--curve", "ecdsa"],
  ])
  func aSecretInThePlaceOfAFileIsNotRepeated(command: [String]) throws {
    let secret = "0x" + String(repeating: "3", count: 64)
    let ended = try Program.run(command + [secret])
    #expect(ended.status == 1)
    #expect(ended.errors.contains("there is no such file"))
    #expect(!ended.errors.contains(secret) && !ended.output.contains(secret))
  }

  @Test func ctrlCLeavesTheTerminalAsItWas() throws {
    try Program.withDirectory { directory in
      let (status, complaints, terminal) = try ask(typing: ["half a pass\u{3}"], directory)
      #expect(status == 130)
      #expect(terminal.isOrdinary)
      #expect(complaints == "Password: \n")
      #expect(!FileManager.default.fileExists(atPath: directory + "/key.json"))
    }
  }

  @Test func passwordsAreAskedForTwice() throws {
    try Program.withDirectory { directory in
      let (differing, _, _) = try ask(typing: ["one\n", "other\n"], directory)
      #expect(differing == 1)
      let (status, complaints, terminal) = try ask(typing: ["pass word\n", "pass word\n"], directory)
      #expect(status == 0, "\(complaints)")
      #expect(terminal.isOrdinary)
      #expect(!complaints.contains("pass word"))
      let shown = try Program.run(
        "keys", "show", "--curve", "ecdsa", directory + "/key.json", environment: ["PONOS_KEYSTORE_PASSWORD": "pass word"])
      #expect(shown.status == 0, "\(shown.errors)")
    }
  }

  /// Runs `keys new` at a terminal, typing one line at each question; returns the status, standard error and the terminal.
  private func ask(typing lines: [String], _ directory: String) throws -> (Int32, String, Terminal) {
    let terminal = try Terminal()
    let process = Program.process(["keys", "new", "--curve", "ecdsa", "--output", directory + "/key.json", "--light"])
    let errors = Pipe()
    process.standardInput = terminal.input
    process.standardOutput = FileHandle.nullDevice
    process.standardError = errors
    try process.run()
    let watchdog = Program.watchdog(of: process)
    defer { watchdog.cancel() }
    var said = Data()
    for line in lines {
      // The question comes once the terminal is silent.
      var question = Data()
      while !question.ends(with: Data(": ".utf8)) {
        let more = errors.fileHandleForReading.availableData
        try #require(!more.isEmpty, "it ended without a question: \(String(decoding: said + question, as: UTF8.self))")
        question += more
      }
      said += question
      terminal.type(line)
    }
    said += errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: said, as: UTF8.self), terminal)
  }
}

extension Data {
  fileprivate func ends(with end: Data) -> Bool { suffix(end.count) == end }
}
