import Foundation
import PonosAPI
import PonosCore
import PonosStore
import SwiftProtobuf

/// Database files as a kill leaves them: part of the tasks in the write-ahead log alone, everything synchronized.
enum KilledDatabase {
  static let tasks = 100_000
  private static let payloadBytes = 1024

  /// Makes the files at `path`: what the ones at `base` hold, if any are named, and the accepted tasks.
  static func make(at path: String, from base: String? = nil) async throws {
    let building = path + ".building"
    if let base { try copy(base, to: building) }
    let store = try SQLiteStore.open(path: building)
    let now = UnixMilliseconds(Date().timeIntervalSince1970 * 1000)
    for _ in 0..<tasks / 250 {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<250 { group.addTask { _ = try await store.accept(try record(acceptedAt: now)) } }
        try await group.waitForAll()
      }
    }
    try copy(building, to: path)
    try await store.close()
  }

  /// Copies the files, in the place of those that are there.
  static func copy(_ path: String, to target: String) throws {
    for suffix in ["", "-wal", "-shm", ".lock"] where FileManager.default.fileExists(atPath: target + suffix) {
      try FileManager.default.removeItem(atPath: target + suffix)
    }
    for suffix in ["", "-wal"] where FileManager.default.fileExists(atPath: path + suffix) {
      try FileManager.default.copyItem(atPath: path + suffix, toPath: target + suffix)
    }
    // A kill leaves what was synchronized long before; the first commit must not pay for the copy.
    sync()
  }

  private static func record(acceptedAt: UnixMilliseconds) throws -> AcceptedTaskRecord {
    let id = TaskID(unchecked: UniqueID.next())
    let submission = TaskSubmission(
      id: id, idText: id.description, aggregator: TaskParties.aggregatorAddress,
      operatorSet: OperatorSet(avs: TaskParties.avs, id: TaskParties.operatorSetID(.ecdsa)),
      executor: TaskParties.operatorAddress, payload: [UInt8](repeating: 0x5a, count: payloadBytes),
      signature: [UInt8](repeating: 0x33, count: 65), referenceTimestamp: 1, taskBlockNumber: 1, version: 1)
    return AcceptedTaskRecord(
      id: id, contentHash: Digest32(unchecked: id.bytes), submission: try submission.wire.serializedBytes(),
      operatorSet: submission.operatorSet, aggregator: submission.aggregator, priority: 0, acceptedAt: acceptedAt,
      deadline: acceptedAt + 24 * 3600 * 1000)
  }
}
