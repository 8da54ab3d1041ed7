import Foundation
import PonosCore

/// The digests an operator has signed, as they move from one host to another: a JSON document that `docs/operations/state.md`
/// describes.
package enum SignedHistory {
  /// The value of `format`, by which the document is known.
  package static let format = "ponos-signed-history"
  /// The version written, and the only one read.
  package static let version = 1

  /// One task and the digest that may be signed for it.
  package struct Entry: Sendable, Equatable, Codable {
    package var taskId: TaskID
    package var avs: EthereumAddress
    package var operatorSetId: UInt32
    package var curve: SignatureCurve
    package var digest: Digest32
    package var recordedAt: UnixMilliseconds
  }
}

extension SignedHistory.Entry {
  init(_ record: SignedDigestRecord) {
    self.init(
      taskId: record.taskID, avs: record.operatorSet.avs, operatorSetId: record.operatorSet.id, curve: record.curve,
      digest: record.digest, recordedAt: record.recordedAt)
  }

  var record: SignedDigestRecord {
    SignedDigestRecord(
      taskID: taskId, operatorSet: OperatorSet(avs: avs, id: operatorSetId), curve: curve, digest: digest,
      recordedAt: recordedAt)
  }
}

/// A signed history could not be taken in; nothing of it was.
package enum HistoryError: Error, Sendable, CustomStringConvertible {
  /// Not a document of ours.
  case unreadable(String)
  /// Of another operator than the one here.
  case otherOperator(theirs: EthereumAddress, ours: EthereumAddress)
  /// Two digests for one task id. At most one of them was signed by an executor that kept the rules.
  case conflicts([Conflict])
  case store(StoreError)

  /// A task for which the document has another digest than the database, or than itself.
  package struct Conflict: Sendable, Equatable, Codable {
    package var taskId: TaskID
    /// Recorded in the database, or earlier in the document.
    package var recorded: Digest32
    /// What the document says.
    package var imported: Digest32
  }

  package var description: String {
    switch self {
    case .unreadable(let problem):
      "this is not a signed history: \(problem); nothing was imported"
    case .otherOperator(let theirs, let ours):
      "this is the signed history of operator \(theirs), and the operator here is \(ours); nothing was imported"
    case .conflicts(let conflicts):
      "\(conflicts.count) task\(conflicts.count == 1 ? " has" : "s have") another digest there than here; nothing was imported"
    case .store(let error):
      error.description
    }
  }
}

/// Writes a signed history piece by piece: it may be larger than memory. One entry a line.
package struct SignedHistoryWriter {
  private let encoder: JSONEncoder
  private let write: (Data) throws -> Void
  private var count = 0

  /// Writes the head of the document.
  package init(
    operatorAddress: EthereumAddress, exportedAt: UnixMilliseconds, write: @escaping (Data) throws -> Void
  ) throws {
    encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    self.write = write
    try write(
      Data(
        """
        {
          "format": "\(SignedHistory.format)",
          "version": \(SignedHistory.version),
          "operatorAddress": "\(operatorAddress)",
          "exportedAt": \(exportedAt),
          "entries": [
        """.utf8))
  }

  package mutating func add(_ entries: [SignedHistory.Entry]) throws {
    var text = Data()
    for entry in entries {
      text.append(contentsOf: (count == 0 ? "\n    " : ",\n    ").utf8)
      text.append(try encoder.encode(entry))
      count += 1
    }
    try write(text)
  }

  /// Writes the end; returns the number of entries.
  package func finish() throws -> Int {
    try write(Data((count == 0 ? "]\n}\n" : "\n  ]\n}\n").utf8))
    return count
  }
}
