import PonosAggregator
import PonosCore
import PonosCrypto
import PonosTesting

/// An aggregator, known by what it signs with.
package typealias TestAggregator = SubmissionSigner

extension SubmissionSigner {
  /// The registered aggregator of a curve.
  package static func registered(_ curve: SignatureCurve) -> TestAggregator {
    TestAggregator(
      address: EthereumAddress(unchecked: [UInt8](repeating: curve == .ecdsa ? 0xe1 : 0xb1, count: 20)),
      key: TestKeys.aggregator(curve))
  }
}

extension SubmissionDraft {
  /// A task with a fresh random id. What a test does not care about has a sensible value.
  package init(avs: EthereumAddress, executor: EthereumAddress, operatorSetID: UInt32, payload: String) {
    self.init(
      avs: avs, executor: executor, operatorSetID: operatorSetID, payload: Array(payload.utf8),
      referenceTimestamp: 1_760_000_000, blockNumber: 7_654_321)
  }
}
