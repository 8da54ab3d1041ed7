import PonosCore

extension SQLiteStore: DigestStore {
  package func record(_ digest: SignedDigestRecord, output: [UInt8]) async throws(StoreError) -> DigestOutcome {
    let seal = RecordSeals.output(output, of: digest.taskID)
    return try await writer.write("record the digest of task \(digest.taskID)", bytes: output.count) { database in
      try DigestStatements.record(digest, output: output, seal: seal, database)
    }
  }

  package func signedDigest(of id: TaskID) async throws(StoreError) -> SignedDigestRecord? {
    try await read("read the digest of task \(id)") { try DigestStatements.signedDigest(of: id, $0) }
  }

  package func deleteDigests(recordedBefore time: UnixMilliseconds) async throws(StoreError) -> Int {
    var total = 0
    while true {
      // The search may cross the whole table, so it does not hold up the writer.
      let ids = try await read("look for old digests") { database in
        try DigestStatements.forgettableDigests(recordedBefore: time, limit: Self.deletionStep, database)
      }
      if ids.isEmpty { return total }
      let deleted = try await writer.write("delete old digests") { database in
        try DigestStatements.deleteDigests(ids, recordedBefore: time, database)
      }
      total += deleted
      if ids.count < Self.deletionStep || deleted == 0 { return total }
    }
  }
}
