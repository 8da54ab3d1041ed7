import PonosAPI
import PonosCore
import PonosStore
import SwiftProtobuf

/// A signed and self-verified answer that is not on disk yet, and so must not leave. Made by `SigningService`.
package struct UnrecordedResult: Sendable {
  let task: ValidatedTask
  /// The digest its signature is over.
  let digest: Digest32
  let result: SignedResult
}

/// The answer to a task, signed, self-verified and recorded. Made by `TaskJournal`, or read back from it.
package struct SignedResult: Sendable, Equatable {
  package let id: TaskID
  package let avs: EthereumAddress
  /// The answer with the id in lower case, as it is stored.
  package let wire: Eigenlayer_Hourglass_V1_TaskResult

  init(id: TaskID, avs: EthereumAddress, wire: Eigenlayer_Hourglass_V1_TaskResult) {
    self.id = id
    self.avs = avs
    self.wire = wire
  }

  /// The answer a finished task's row holds; nil when the row holds none, a damaged one, or not one of ours.
  init?(stored record: TaskRecord) {
    guard record.damage == nil, let bytes = record.result,
      let wire = try? Eigenlayer_Hourglass_V1_TaskResult(serializedBytes: bytes),
      TaskID(hex: wire.taskID) == record.id
    else { return nil }
    self.init(id: record.id, avs: record.accepted.operatorSet.avs, wire: wire)
  }

  /// The answer for a caller that wrote the id as `idText`: aggregators compare it to the letter.
  package func wire(idText: String) -> Eigenlayer_Hourglass_V1_TaskResult {
    var message = wire
    message.taskID = idText
    return message
  }
}
