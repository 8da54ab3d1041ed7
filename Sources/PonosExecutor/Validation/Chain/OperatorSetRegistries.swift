import PonosCore
import PonosCrypto

/// The static registry for the AVSs that have one, the chain for the others.
package struct OperatorSetRegistries: OperatorSetRegistry {
  private let configured: StaticOperatorSetRegistry
  private let onChain: ChainOperatorSetRegistry?
  private let chainAVS: Set<EthereumAddress>

  /// - Parameter chainAVS: AVSs that `onChain` answers for.
  package init(configured: StaticOperatorSetRegistry, onChain: ChainOperatorSetRegistry?, chainAVS: Set<EthereumAddress>) {
    self.configured = configured
    self.onChain = onChain
    self.chainAVS = chainAVS
  }

  private func registry(for avs: EthereumAddress) -> any OperatorSetRegistry {
    guard let onChain, chainAVS.contains(avs) else { return configured }
    return onChain
  }

  package func executorCurve(of set: OperatorSet, atBlock block: UInt64) async throws(Rejection) -> SignatureCurve {
    try await registry(for: set.avs).executorCurve(of: set, atBlock: block)
  }

  package func aggregatorKey(
    of aggregator: EthereumAddress, avs: EthereumAddress, atBlock block: UInt64
  ) async throws(Rejection) -> VerificationKey {
    try await registry(for: avs).aggregatorKey(of: aggregator, avs: avs, atBlock: block)
  }

  package func checkServes(_ avs: EthereumAddress) throws(Rejection) {
    try registry(for: avs).checkServes(avs)
  }

  package func standing(of claim: SubmissionClaim) async throws(Rejection) -> SubmissionStanding {
    try await registry(for: claim.operatorSet.avs).standing(of: claim)
  }

  package func acceptedCurve(of set: OperatorSet) async throws(Rejection) -> SignatureCurve {
    try await registry(for: set.avs).acceptedCurve(of: set)
  }
}
