import Foundation
import PonosCore
import PonosStore
import PonosStoreTesting
import PonosTesting
import Testing

/// `state` as a shell sees it.
@Suite struct StateCommandTests {
  private let signer = StoreRecords.address(77).description

  /// A directory with a database that holds the digests of `numbers`; `digest` tells which.
  private func withDatabase(
    _ numbers: Range<Int>, digest: @Sendable (Int) -> Int = { $0 },
    _ body: (_ directory: String, _ database: String) throws -> Void
  ) async throws {
    let directory = FileManager.default.temporaryDirectory.appending(path: "ponos-cli-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    try await record(numbers, digest: digest, in: directory + "/executor.db")
    try body(directory, directory + "/executor.db")
  }

  private func record(_ numbers: Range<Int>, digest: @Sendable (Int) -> Int, in path: String) async throws {
    let store = try SQLiteStore.open(path: path)
    for number in numbers {
      _ = try await store.record(StoreRecords.signedDigest(task: number, digest: digest(number)), output: [])
    }
    try await store.close()
  }

  private func json(_ ended: Program.Ended) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(ended.output.utf8)) as? [String: Any])
  }

  private func mode(_ path: String) throws -> Int {
    try #require(FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
  }

  @Test func aHistoryMovesFromHostToHost() async throws {
    try await withDatabase(0..<5) { directory, database in
      let file = directory + "/signed.json"
      let exported = try Program.run(
        "state", "export-signed", file, "--database", database, "--operator", signer, "-o", "json")
      #expect(exported.status == 0, "\(exported.errors)")
      #expect(try json(exported)["entries"] as? Int == 5)
      #expect(try mode(file) == 0o600)
      let again = try Program.run("state", "export-signed", file, "--database", database, "--operator", signer)
      #expect(again.status == 1 && again.errors.contains("exists already"))

      let target = directory + "/new.db"
      let imported = try Program.run("state", "import-signed", file, "--database", target, "--operator", signer)
      #expect(imported.status == 0, "\(imported.errors)")
      #expect(imported.output == "imported 5 signed digests; 0 were known\n")
      let repeated = try Program.run("state", "import-signed", file, "--database", target, "--operator", signer, "-o", "json")
      #expect(try json(repeated)["known"] as? Int == 5)
    }
  }

  @Test func contradictionsAreListedAndLeaveWith65() async throws {
    try await withDatabase(0..<3, digest: { $0 + 100 }) { directory, database in
      let file = directory + "/signed.json"
      _ = try Program.run("state", "export-signed", file, "--database", database, "--operator", signer)
      let other = directory + "/other.db"
      let text = try String(contentsOfFile: file, encoding: .utf8)
      let changed = text.replacing(StoreRecords.digest(101).description, with: StoreRecords.digest(9).description)
      try changed.write(toFile: directory + "/changed.json")
      _ = try Program.run("state", "import-signed", directory + "/changed.json", "--database", other, "--operator", signer)
      let refused = try Program.run("state", "import-signed", file, "--database", other, "--operator", signer)
      #expect(refused.status == 65)
      #expect(refused.output.contains(StoreRecords.taskID(1).description))
      #expect(refused.errors.contains("nothing was imported"))
      let document = try Program.run("state", "import-signed", file, "--database", other, "--operator", signer, "-o", "json")
      #expect(document.status == 65)
      let conflict = try #require((try json(document)["conflicts"] as? [[String: Any]])?.first)
      #expect(conflict["recorded"] as? String == StoreRecords.digest(9).description)
      let stranger = try Program.run(
        "state", "import-signed", file, "--database", other, "--operator", StoreRecords.address(5).description)
      #expect(stranger.status == 1 && stranger.errors.contains("nothing was imported"))
    }
  }

  @Test func aDamagedHistoryIsExportedOnlyWhenAskedFor() async throws {
    try await withDatabase(0..<5) { directory, database in
      var bytes = try Data(contentsOf: URL(filePath: database))
      let place = try #require(bytes.firstRange(of: Data(StoreRecords.digest(3).bytes)))
      bytes[place.lowerBound + 31] ^= 1
      try bytes.write(to: URL(filePath: database))
      let export = ["state", "export-signed", directory + "/signed.json", "--database", database, "--operator", signer]
      let refused = try Program.run(export)
      #expect(refused.status == 1 && refused.errors.contains("--skip-damaged"), "\(refused.errors)")
      #expect(!FileManager.default.fileExists(atPath: directory + "/signed.json"))
      let ended = try Program.run(export + ["--skip-damaged", "-o", "json"])
      #expect(ended.status == 65 && ended.errors.contains("skipped 1 damaged record\n"), "\(ended.errors)")
      let result = try json(ended)
      #expect(result["entries"] as? Int == 4 && result["skipped"] as? Int == 1 && result["hasGap"] as? Bool == false)
      let imported = try Program.run(
        "state", "import-signed", directory + "/signed.json", "--database", directory + "/new.db", "--operator", signer)
      #expect(imported.status == 0 && imported.output.contains("imported 4"))
    }
  }

  @Test func aDaemonKeepsItsHistoryToItself() async throws {
    try await withDatabase(0..<1) { directory, database in
      let file = try DatabaseFile(path: database)
      defer { file.release() }
      for command in [
        ["export-signed", directory + "/signed.json", "--operator", signer], ["compact"],
      ] {
        let ended = try Program.run(["state"] + command + ["--database", database])
        #expect(ended.status == 1)
        #expect(ended.errors.contains("another executor (process \(getpid())) has"), "\(ended.errors)")
      }
      #expect(!FileManager.default.fileExists(atPath: directory + "/signed.json"))
      // These two need no daemon to be stopped.
      let backup = try Program.run("state", "backup", directory + "/copy.db", "--database", database)
      #expect(backup.status == 0, "\(backup.errors)")
      #expect(try Program.run("state", "verify", "--database", database).status == 0)
    }
  }

  @Test func backupsAreWholeAndPrivate() async throws {
    try await withDatabase(0..<50) { directory, database in
      let copy = directory + "/copy.db"
      let ended = try Program.run("state", "backup", copy, "--database", database, "-o", "json")
      #expect(ended.status == 0, "\(ended.errors)")
      #expect((try json(ended)["bytes"] as? Int ?? 0) > 4096)
      #expect(ended.errors.contains("copied 100%"))
      #expect(try mode(copy) == 0o600)
      let verified = try Program.run("state", "verify", copy)
      #expect(verified.status == 0)
      #expect(verified.output.hasSuffix("intact; 50 records checked\n"))
      #expect(try FileManager.default.contentsOfDirectory(atPath: directory).filter { $0.hasPrefix("copy") } == ["copy.db"])
    }
  }

  @Test func damageIsFoundAndLeavesWith65() async throws {
    try await withDatabase(0..<50) { directory, database in
      var bytes = try Data(contentsOf: URL(filePath: database))
      let place = try #require(bytes.firstRange(of: Data(StoreRecords.digest(30).bytes)))
      bytes[place.lowerBound + 31] ^= 1
      try bytes.write(to: URL(filePath: database))
      let ended = try Program.run("state", "verify", database, "-o", "json")
      #expect(ended.status == 65)
      let verdict = try json(ended)
      #expect(verdict["intact"] as? Bool == false)
      #expect((verdict["faults"] as? [String])?.isEmpty == false)
      let people = try Program.run("state", "verify", database)
      #expect(people.status == 65 && people.output.contains("damaged, "))
      let backup = try Program.run("state", "backup", directory + "/copy.db", "--database", database)
      #expect(backup.status == 1 && backup.errors.contains("damaged"))
      #expect(!FileManager.default.fileExists(atPath: directory + "/copy.db"))
    }
  }

  @Test func compactionSaysWhatItWon() async throws {
    try await withDatabase(0..<10) { _, database in
      let ended = try Program.run("state", "compact", "--database", database, "-o", "json")
      #expect(ended.status == 0, "\(ended.errors)")
      #expect((try json(ended)["bytesAfter"] as? Int ?? 0) > 0)
    }
  }

  @Test func theConfigurationNamesDatabaseAndOperator() async throws {
    try await withDatabase(0..<2) { directory, database in
      try """
      operator:
        address: "\(signer)"
        signingKeys: {ecdsa: {privateKey: "\(String(repeating: "3", count: 64))"}}
      l1Chain: {chainId: 31337}
      storage: {path: \(database)}
      """.write(toFile: directory + "/executor.yaml")
      let ended = try Program.run(
        "state", "export-signed", directory + "/signed.json", "--config", directory + "/executor.yaml", "-o", "json")
      #expect(ended.status == 0, "\(ended.errors)")
      #expect(try json(ended)["operatorAddress"] as? String == signer)
      let nothing = try Program.run("state", "compact")
      #expect(nothing.status == 64)
      #expect(nothing.errors.contains("--config"))
      let missing = try Program.run("state", "verify", directory + "/none.db")
      #expect(missing.status == 1 && missing.errors.contains("no database"))
    }
  }
}
