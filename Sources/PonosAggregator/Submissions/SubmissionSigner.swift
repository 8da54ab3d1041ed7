import Foundation
import PonosAPI
import PonosCore
import PonosCrypto
import SwiftProtobuf

/// A signed task as it goes over the wire.
package typealias WireSubmission = Eigenlayer_Hourglass_V1_TaskSubmission
/// An answer as it comes over the wire.
package typealias WireResult = Eigenlayer_Hourglass_V1_TaskResult

/// Signs submissions as the public aggregator does.
package struct SubmissionSigner: Sendable {
  /// The aggregator's operator address. Usually not that of its signing key: operators register a key per set.
  package let address: EthereumAddress
  package let key: SigningKey

  package init(address: EthereumAddress, key: SigningKey) {
    self.address = address
    self.key = key
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
