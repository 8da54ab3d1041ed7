import Foundation
import PonosAPI
import PonosCore
import PonosCrypto
import PonosTesting
import SwiftProtobuf

package typealias WireSubmission = Eigenlayer_Hourglass_V1_TaskSubmission
package typealias WireResult = Eigenlayer_Hourglass_V1_TaskResult

/// An aggregator: signs submissions as the public one does.
package struct TestAggregator: Sendable {
  /// Its operator address, which its signing key does not belong to, as usual on chain.
  package let address: EthereumAddress
  package let key: SigningKey

  package init(address: EthereumAddress, key: SigningKey) {
    self.address = address
    self.key = key
  }

  /// The registered aggregator of a curve.
  package static func registered(_ curve: SignatureCurve) -> TestAggregator {
    TestAggregator(
      address: EthereumAddress(unchecked: [UInt8](repeating: curve == .ecdsa ? 0xe1 : 0xb1, count: 20)),
      key: TestKeys.aggregator(curve))
  }

  /// Signs `draft` and writes the wire message, addresses in lower case.
  package func sign(_ draft: SubmissionDraft) throws(SigningError) -> WireSubmission {
    let signature = try key.signMessage(draft.message.digest)
    return .with { message in
      message.taskID = draft.id.description
      message.aggregatorAddress = address.description
      message.avsAddress = draft.avs.description
      message.payload = Data(draft.payload)
      message.signature = Data(signature)
      message.operatorSetID = draft.operatorSetID
      message.referenceTimestamp = draft.referenceTimestamp
      message.executorAddress = draft.executor.description
      message.taskBlockNumber = draft.blockNumber
      message.version = draft.version
    }
  }
}

/// A task before its aggregator signs it. What a test does not care about has a sensible value.
package struct SubmissionDraft: Sendable {
  package var id: TaskID
  package var avs: EthereumAddress
  package var executor: EthereumAddress
  package var operatorSetID: UInt32
  package var payload: [UInt8]
  package var referenceTimestamp: UInt32 = 1_760_000_000
  package var blockNumber: UInt64 = 7_654_321
  package var version: UInt32 = 1

  /// A task with a fresh random id.
  package init(avs: EthereumAddress, executor: EthereumAddress, operatorSetID: UInt32, payload: String) {
    id = .random()
    self.avs = avs
    self.executor = executor
    self.operatorSetID = operatorSetID
    self.payload = Array(payload.utf8)
  }

  /// What gets signed.
  var message: SubmissionMessage {
    SubmissionMessage(
      taskID: id, avs: avs, executor: executor, operatorSetID: operatorSetID, referenceTimestamp: referenceTimestamp,
      blockNumber: blockNumber, payload: payload)
  }
}

extension TaskID {
  /// An id that was never used before.
  package static func random() -> TaskID {
    TaskID(unchecked: (0..<32).map { _ in UInt8.random(in: .min ... .max) })
  }
}
