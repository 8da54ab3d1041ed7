import Foundation
import GRDB
import PonosCore
import PonosStoreTesting
import PonosTesting
import Testing
@testable import PonosStore

/// What the `state` commands do to a database whose daemon does not run.
@Suite struct OfflineDatabaseTests {
  private static let signer = StoreRecords.address(77)

  private let directory: TemporaryDirectory
  private let path: String

  init() throws {
    directory = try TemporaryDirectory()
    path = directory.file("store.sqlite")
  }

  private func record(_ numbers: some Sequence<Int>, in path: String, digest: (Int) -> Int = { $0 }) async throws {
    let store = try SQLiteStore.open(path: path)
    for number in numbers {
      _ = try await store.record(StoreRecords.signedDigest(task: number, digest: digest(number)), output: [])
    }
    try await store.close()
  }

  private func export(_ path: String) throws -> Data {
    let database = try OfflineDatabase(path: path)
    var document = Data()
    _ = try database.exportHistory(of: Self.signer, at: 1_700_000_002_000) { document += $0 }
    try database.close()
    return document
  }

  private func take(_ document: Data, into path: String) throws -> OfflineDatabase.Import {
    let database = try OfflineDatabase(path: path, mayCreate: true)
    let outcome = try database.importHistory(of: Self.signer, read: Self.chunks(of: document))
    try database.close()
    return outcome
  }

  /// The bytes of a document, a few at a time.
  private static func chunks(of document: Data, size: Int = 1000) -> () -> Data {
    var rest = document[...]
    return {
      defer { rest = rest.dropFirst(size) }
      return rest.prefix(size)
    }
  }

  private func entries(of document: Data, chunk: Int = 1000) throws -> [SignedHistory.Entry] {
    var reader = SignedHistoryReader(of: Self.signer, read: Self.chunks(of: document, size: chunk))
    var entries: [SignedHistory.Entry] = []
    try reader.readEntries { entries.append($0) }
    return entries
  }

  private func document(_ entries: [SignedHistory.Entry]) throws -> Data {
    var document = Data()
    var writer = try SignedHistoryWriter(operatorAddress: Self.signer, exportedAt: 1_700_000_002_000) { document += $0 }
    try writer.add(entries)
    _ = try writer.finish()
    return document
  }

  // MARK: The signed history

  @Test("the document is what its description says")
  func document() async throws {
    try await record([1], in: path)
    let digest = StoreRecords.signedDigest(task: 1, digest: 1)
    let text = String(decoding: try export(path), as: UTF8.self)
    #expect(
      text == """
        {
          "format": "ponos-signed-history",
          "version": 1,
          "operatorAddress": "\(Self.signer)",
          "exportedAt": 1700000002000,
          "entries": [
            {"avs":"\(digest.operatorSet.avs)","curve":"bn254","digest":"\(digest.digest)","operatorSetId":7,"recordedAt":1700000001000,"taskId":"\(digest.taskID)"}
          ]
        }

        """)
    try await SQLiteStore.open(path: directory.file("empty.sqlite")).close()
    #expect(try entries(of: try export(directory.file("empty.sqlite"))) == [])
  }

  @Test("a history moves to a new host whole; importing it again changes nothing")
  func historyMovesToNewHostWhole() async throws {
    let entries = (0..<12_000).map { SignedHistory.Entry(StoreRecords.signedDigest(task: $0, digest: $0)) }
    _ = try take(try document(entries), into: path)
    let document = try export(path)
    let target = directory.file("new/host.sqlite")
    #expect(try take(document, into: target) == .init(added: 12_000, known: 0))
    #expect(try take(document, into: target) == .init(added: 0, known: 12_000))
    #expect(try export(target) == document)
    let store = try SQLiteStore.open(path: target)
    for number in [0, 5_000, 11_999] {
      #expect(
        try await store.record(StoreRecords.signedDigest(task: number, digest: number + 1), output: [])
          == .conflict(recorded: StoreRecords.digest(number)))
    }
    try await store.close()
  }

  @Test("histories are merged")
  func historiesAreMerged() async throws {
    let other = directory.file("other.sqlite")
    try await record(0..<6, in: path)
    try await record(3..<9, in: other)
    #expect(try take(try export(path), into: other) == .init(added: 3, known: 3))
    #expect(try entries(of: try export(other)).count == 9)
  }

  @Test("a history that contradicts the database is refused whole, with every conflict")
  func historyThatContradictsDatabaseIsRefusedWhole() async throws {
    let other = directory.file("other.sqlite")
    try await record(0..<10, in: path)
    try await record([4, 7], in: other) { $0 + 100 }
    let document = try export(path)
    let before = try export(other)
    #expect {
      _ = try take(document, into: other)
    } throws: { error in
      guard case .conflicts(let conflicts) = error as? HistoryError else { return false }
      return conflicts
        == [4, 7].map {
          .init(
            taskId: StoreRecords.taskID($0), recorded: StoreRecords.digest($0 + 100), imported: StoreRecords.digest($0))
        }
    }
    #expect(try export(other) == before, "nothing was imported")
  }

  @Test("a document that contradicts itself is refused")
  func documentThatContradictsItselfIsRefused() async throws {
    try await record(0..<3, in: path)
    var entries = try entries(of: try export(path))
    entries.append(entries[1])
    #expect(try take(try document(entries), into: directory.file("target.sqlite")) == .init(added: 3, known: 1))
    entries[3].digest = StoreRecords.digest(50)
    let other = directory.file("other.sqlite")
    #expect(throws: HistoryError.self) { try take(try document(entries), into: other) }
    #expect(try self.entries(of: try export(other)) == [], "nothing was imported")
  }

  @Test("another operator's history is refused")
  func anotherOperatorsHistoryIsRefused() async throws {
    try await record(0..<3, in: path)
    let document = try export(path)
    let database = try OfflineDatabase(path: directory.file("target.sqlite"), mayCreate: true)
    #expect {
      _ = try database.importHistory(of: StoreRecords.address(78), read: Self.chunks(of: document))
    } throws: {
      "\($0)".contains(Self.signer.description) && "\($0)".contains("nothing was imported")
    }
    try database.close()
  }

  @Test(
    "what is no history of ours is refused with the place of the fault",
    arguments: [
      ("", "not a JSON object"), ("[]", "not a JSON object"), ("{}", "'format' is missing"),
      (#"{"format": "x", "version": 1, "operatorAddress": "ADDRESS", "entries": []}"#, "'x'"),
      (#"{"format": "ponos-signed-history", "version": 2, "operatorAddress": "ADDRESS", "entries": []}"#, "version is 2"),
      (#"{"format": "ponos-signed-history", "version": 1, "operatorAddress": "0x12", "entries": []}"#, "operatorAddress"),
      (#"{"format": "ponos-signed-history", "version": 1, "operatorAddress": "ADDRESS"}"#, "'entries' is missing"),
      (
        #"{"format": "ponos-signed-history", "version": 1, "operatorAddress": "ADDRESS", "entries": [{"taskId": "0x00"}]}"#,
        "entries.[0].taskId"
      ),
      ("HEAD\"entries\": [\n ENTRY,\n ENTRY,\n {}]}", "'taskId' is missing at entries.[2] (line 4)"),
      ("HEAD\"entries\": [ENTRY,]}", "a value is missing (line 1)"), ("HEAD\"entries\": [ENTRY", "',' or the ']'"),
      ("HEAD\"entries\": [ENTRY, {\"taskId\": \"0x", "in the middle of a value"),
      ("HEAD\"entries\": [ENTRY]", "the '}' at the end"), ("HEAD\"entries\": [ENTRY]} x", "behind its end"),
      ("HEAD\"entries\": [], \"entries\": []}", "'entries' is there twice"),
      ("HEAD\"version\": 1, \"entries\": []}", "'version' is there twice"),
      ("HEAD\"entries\" []}", "no ':' behind 'entries'"), ("HEAD\"entries\": {}}", "wrong type at entries"),
      ("HEAD\"more\": [1, nul], \"entries\": []}", "'more' is not JSON"),
      ("HEAD\"more\": , \"entries\": []}", "a value is missing"),
    ])
  func whatIsNoHistoryOfOursIsRefusedWithPlaceOfFault(text: String, words: String) throws {
    let head = #"{"format": "ponos-signed-history", "version": 1, "operatorAddress": "ADDRESS", "#
    let entry = String(
      decoding: try JSONEncoder().encode(SignedHistory.Entry(StoreRecords.signedDigest(task: 1, digest: 1))), as: UTF8.self)
    let json = text.replacing("HEAD", with: head).replacing("ENTRY", with: entry)
      .replacing("ADDRESS", with: Self.signer.description)
    #expect {
      _ = try take(Data(json.utf8), into: path)
    } throws: {
      "\($0)".contains(words) && "\($0)".contains("nothing was imported")
    }
    #expect(try entries(of: try export(path)) == [], "nothing was imported")
  }

  @Test("a document is read the same however its keys stand and its bytes come", arguments: [1, 7, 1 << 20])
  func documentIsReadTheSameHoweverItsKeysStand(chunk: Int) throws {
    let entry = SignedHistory.Entry(StoreRecords.signedDigest(task: 1, digest: 1))
    let text = String(decoding: try JSONEncoder().encode(entry), as: UTF8.self)
    let document = """
      \t{"more": {"]}": [1, -2.5e3, "\\"}]", {}], "x": null}, "entries" :[ \(text)\r\n ,\(text.replacing(",", with: " ,\n"))],
      "version":1,"operatorAddress":"\(Self.signer)","other":true , "f\\u006frmat": "ponos-signed-history"}
      """
    #expect(try entries(of: Data(document.utf8), chunk: chunk) == [entry, entry])
  }

  @Test("a value without end is not kept in memory")
  func valueWithoutEndIsNotKeptInMemory() {
    var begun = false
    var reader = SignedHistoryReader(of: Self.signer) {
      defer { begun = true }
      return begun ? Data(repeating: UInt8(ascii: "x"), count: 1000) : Data("{\"a".utf8)
    }
    #expect { try reader.readEntries { _ in } } throws: { "\($0)".contains("more than 1 MiB") }
  }

  @Test("a damaged history is not exported")
  func damagedHistoryIsNotExported() async throws {
    try await record(0..<3, in: path)
    let queue = try DatabaseQueue(path: path)
    try await queue.write { try $0.execute(sql: "UPDATE signed_digest SET digest = zeroblob(32)") }
    try queue.close()
    #expect {
      _ = try export(path)
    } throws: {
      ($0 as? StoreError)?.code == .damaged
    }
  }

  @Test("of a damaged history everything else can be exported, and what is missing is counted")
  func ofDamagedHistoryEverythingElseCanBeExported() async throws {
    try await record(0..<40, in: path)
    let all = try entries(of: try export(path))
    let queue = try DatabaseQueue(path: path)
    try await queue.write {
      try $0.execute(
        sql: "UPDATE signed_digest SET digest = zeroblob(32) WHERE task_id IN (?, ?)",
        arguments: [Data(all[3].taskId.bytes), Data(all[17].taskId.bytes)])
    }
    try queue.close()
    let (document, summary) = try exportReadable()
    #expect(summary == .init(entries: 38, skipped: 2, hasGap: false) && !summary.isComplete)
    #expect(try entries(of: document) == all.enumerated().filter { ![3, 17].contains($0.offset) }.map(\.element))
  }

  @Test("what stands on either side of a page that cannot be read is exported")
  func whatStandsOnEitherSideOfPageThatCannotBeRead() async throws {
    try await record(0..<600, in: path)
    let all = try entries(of: try export(path))
    let queue = try DatabaseQueue(path: path)
    try await queue.writeWithoutTransaction { try $0.checkpoint(.truncate) }
    try queue.close()
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    let place = try #require(bytes.firstRange(of: Data(all[300].taskId.bytes))).lowerBound
    bytes.replaceSubrange(place / 4096 * 4096..<(place / 4096 + 1) * 4096, with: Data(count: 4096))
    try bytes.write(to: URL(fileURLWithPath: path))
    #expect(throws: StoreError.self) { try export(path) }
    let (document, summary) = try exportReadable()
    let found = try entries(of: document)
    #expect(summary.hasGap && !summary.isComplete && summary.entries == found.count)
    #expect(found.count > 550 && found.count < 600 && Set(found.map(\.taskId)).count == found.count)
    #expect(found.allSatisfy { all.contains($0) } && found.contains(all[0]) && found.contains(all[599]))
  }

  private func exportReadable() throws -> (Data, HistoryExport.Summary) {
    let database = try OfflineDatabase(path: path)
    var document = Data()
    let summary = try database.exportHistory(of: Self.signer, at: 1, skipsDamaged: true) { document += $0 }
    try database.close()
    return (document, summary)
  }

  @Test("a daemon and these commands keep each other out")
  func daemonAndTheseCommandsKeepEachOtherOut() async throws {
    let store = try SQLiteStore.open(path: path)
    #expect { _ = try OfflineDatabase(path: path) } throws: { ($0 as? StoreError)?.code == .locked }
    try await store.close()
    let database = try OfflineDatabase(path: path)
    #expect { _ = try SQLiteStore.open(path: path) } throws: { ($0 as? StoreError)?.code == .locked }
    try database.close()
    #expect { _ = try OfflineDatabase(path: directory.file("none.sqlite")) } throws: { ($0 as? StoreError)?.code == .cannotOpen }
    #expect(!FileManager.default.fileExists(atPath: directory.file("none.sqlite")))
  }

  // MARK: Space

  @Test("compaction gives room back and keeps every record")
  func compactionGivesRoomBackAndKeepsEveryRecord() async throws {
    let store = try SQLiteStore.open(path: path)
    for number in 0..<40 {
      _ = try await store.accept(StoreRecords.task(number, submission: [UInt8](repeating: 1, count: 50_000)))
    }
    for number in 3..<40 {
      try await store.record(.failed(StoredFailure(code: "a", message: "b"), at: 1), for: StoreRecords.taskID(number))
    }
    _ = try await store.deleteTasks(finishedBefore: 2)
    let unfinished = try await store.unfinishedTasks()
    try await store.close()
    let database = try OfflineDatabase(path: path)
    let compaction = try database.compact()
    #expect(compaction.after < compaction.before / 4, "\(compaction)")
    try database.close()
    let again = try SQLiteStore.open(path: path)
    #expect(try await again.unfinishedTasks() == unfinished)
    #expect(try await again.check().faults == [])
    try await again.close()
  }

  // MARK: Backup and verification

  @Test("a copy made while writers write is of one moment, sound and private")
  func copyMadeWhileWritersWriteIsOfOneMoment() async throws {
    let store = try SQLiteStore.open(path: path)
    for number in 0..<200 {
      _ = try await store.accept(StoreRecords.task(number, submission: [UInt8](repeating: 1, count: 30_000)))
    }
    let copy = directory.file("copy.sqlite")
    let written = try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        for number in 200..<100_000 where !Task.isCancelled { _ = try await store.accept(StoreRecords.task(number)) }
      }
      defer { group.cancelAll() }
      let source = path
      return try await Task.detached { () throws -> [Int] in
        var steps: [Int] = []
        let bytes = try StoreBackup.write(from: source, to: copy) { steps.append($0.copied) }
        #expect(bytes > 6_000_000)
        return steps
      }.value
    }
    #expect(written.count > 1 && written == written.sorted())
    #expect(try StoreVerification.run(path: copy).isIntact)
    let attributes = try FileManager.default.attributesOfItem(atPath: copy)
    #expect(attributes[.posixPermissions] as? Int == 0o600)
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).filter { $0.contains("partial") } == [])
    let restored = try SQLiteStore.open(path: copy)
    let ids = try await restored.unfinishedTasks().map(\.id)
    #expect(ids.count >= 200)
    #expect(ids == (0..<ids.count).map(StoreRecords.taskID), "all tasks up to one moment, none after")
    try await restored.close()
    try await store.close()
  }

  @Test("a backup replaces nothing, and leaves nothing when it fails")
  func backupReplacesNothing() async throws {
    #expect { _ = try StoreBackup.write(from: path, to: directory.file("x")) } throws: { "\($0)".contains("no database") }
    try await record(0..<3, in: path)
    let taken = directory.file("taken")
    try Data("mine".utf8).write(to: URL(fileURLWithPath: taken))
    #expect { _ = try StoreBackup.write(from: path, to: taken) } throws: { "\($0)".contains("exists already") }
    #expect(try Data(contentsOf: URL(fileURLWithPath: taken)) == Data("mine".utf8))

    struct Stop: Error {}
    let stopped = directory.file("stopped")
    let store = try SQLiteStore.open(path: path)
    for number in 0..<60 {
      _ = try await store.accept(StoreRecords.task(number, submission: [UInt8](repeating: 1, count: 100_000)))
    }
    #expect(throws: StoreError.self) { _ = try StoreBackup.write(from: path, to: stopped) { _ in throw Stop() } }
    try await store.close()
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).filter { $0.contains("stopped") } == [])
  }

  @Test("a damaged database is not backed up over a good copy's name")
  func damagedDatabaseIsNotBackedUpOverGoodCopysName() async throws {
    try await record(0..<3, in: path)
    let queue = try DatabaseQueue(path: path)
    try await queue.write { try $0.execute(sql: "UPDATE signed_digest SET recorded_at = 1") }
    try queue.close()
    let copy = directory.file("copy.sqlite")
    #expect { _ = try StoreBackup.write(from: path, to: copy) } throws: { ($0 as? StoreError)?.code == .damaged }
    #expect(!FileManager.default.fileExists(atPath: copy))
    let findings = try StoreVerification.run(path: path)
    #expect(findings.count == 3 && findings.faults.allSatisfy { $0.contains("the digest signed for task") })
  }

  @Test("only databases of ours are verified")
  func onlyDatabasesOfOursAreVerified() throws {
    let text = directory.file("text")
    try Data(String(repeating: "no database\n", count: 100).utf8).write(to: URL(fileURLWithPath: text))
    #expect(throws: StoreError.self) { try StoreVerification.run(path: text) }
    #expect(throws: StoreError.self) { try StoreVerification.run(path: directory.file("missing")) }
    #expect(!FileManager.default.fileExists(atPath: directory.file("missing")))
    let wallet = directory.file("wallet")
    let queue = try DatabaseQueue(path: wallet)
    try queue.write { try $0.execute(sql: "CREATE TABLE wallet (id INTEGER)") }
    try queue.close()
    #expect { _ = try StoreVerification.run(path: wallet) } throws: { "\($0)".contains("another program") }
  }
}
