import PonosConfiguration
import PonosCore
import PonosCrypto

/// Answers questions about AVSs, their operator sets and their aggregators, as the chain does.
package protocol OperatorSetRegistry: Sendable {
  /// The curve this executor has to sign with for `set`. Throws `.unknownAVS` or `.unknownOperatorSet`.
  func executorCurve(of set: OperatorSet, atBlock block: UInt64) async throws(Rejection) -> SignatureCurve
  /// The key that must have signed the submissions of `aggregator`. Throws `.unknownAVS` or `.unknownAggregator`.
  func aggregatorKey(
    of aggregator: EthereumAddress, avs: EthereumAddress, atBlock block: UInt64
  ) async throws(Rejection) -> VerificationKey

  /// Throws `.unknownAVS` for an AVS that the registry knows nothing of. Asks nobody.
  func checkServes(_ avs: EthereumAddress) throws(Rejection)
  /// Everything that the acceptance of a submission depends on, before its signature is verified.
  func standing(of claim: SubmissionClaim) async throws(Rejection) -> SubmissionStanding
  /// The curve of a set in which a task was accepted by an earlier process.
  func acceptedCurve(of set: OperatorSet) async throws(Rejection) -> SignatureCurve
}

/// What a submission says of itself.
package struct SubmissionClaim: Sendable {
  package let operatorSet: OperatorSet
  package let aggregator: EthereumAddress
  /// 0 means latest.
  package let block: UInt64
  package let signature: [UInt8]
  /// What the signature has to be over.
  package let digest: Digest32
  /// Whether the signature is that of a key.
  package let isSignedBy: @Sendable (VerificationKey) async -> Bool

  package init(
    operatorSet: OperatorSet, aggregator: EthereumAddress, block: UInt64, signature: [UInt8], digest: Digest32,
    isSignedBy: @escaping @Sendable (VerificationKey) async -> Bool
  ) {
    self.operatorSet = operatorSet
    self.aggregator = aggregator
    self.block = block
    self.signature = signature
    self.digest = digest
    self.isSignedBy = isSignedBy
  }
}

/// What a registry says of a submission that may be accepted.
package struct SubmissionStanding: Sendable, Equatable {
  /// Signs the result.
  package var curve: SignatureCurve
  /// Has to have signed the submission.
  package var aggregatorKey: VerificationKey

  package init(curve: SignatureCurve, aggregatorKey: VerificationKey) {
    self.curve = curve
    self.aggregatorKey = aggregatorKey
  }
}

extension OperatorSetRegistry {
  package func checkServes(_ avs: EthereumAddress) throws(Rejection) {}

  package func standing(of claim: SubmissionClaim) async throws(Rejection) -> SubmissionStanding {
    SubmissionStanding(
      curve: try await executorCurve(of: claim.operatorSet, atBlock: claim.block),
      aggregatorKey: try await aggregatorKey(of: claim.aggregator, avs: claim.operatorSet.avs, atBlock: claim.block))
  }

  package func acceptedCurve(of set: OperatorSet) async throws(Rejection) -> SignatureCurve {
    try await executorCurve(of: set, atBlock: 0)
  }
}

/// A registry that answers from the configuration, whatever the block.
package struct StaticOperatorSetRegistry: OperatorSetRegistry {
  private struct AVSEntry {
    var curves: [UInt32: SignatureCurve]
    var aggregators: [EthereumAddress: VerificationKey]
  }

  private let entries: [EthereumAddress: AVSEntry]

  /// Throws for a BN254 public key that is not a point of the group.
  package init(_ configs: [AVSConfig]) throws {
    var entries: [EthereumAddress: AVSEntry] = [:]
    for config in configs {
      guard let registry = config.registry else { continue }
      var entry = AVSEntry(curves: [:], aggregators: [:])
      for set in registry.executorOperatorSets { entry.curves[set.id] = set.curve }
      for aggregator in registry.aggregators {
        entry.aggregators[aggregator.address] = try VerificationKey(aggregator.key)
      }
      entries[config.address] = entry
    }
    self.entries = entries
  }

  package func checkServes(_ avs: EthereumAddress) throws(Rejection) {
    if entries[avs] == nil { throw .unknownAVS(avs) }
  }

  package func executorCurve(
    of set: OperatorSet, atBlock block: UInt64
  ) async throws(Rejection) -> SignatureCurve {
    guard let entry = entries[set.avs] else { throw .unknownAVS(set.avs) }
    guard let curve = entry.curves[set.id] else { throw .unknownOperatorSet(set) }
    return curve
  }

  package func aggregatorKey(
    of aggregator: EthereumAddress, avs: EthereumAddress, atBlock block: UInt64
  ) async throws(Rejection) -> VerificationKey {
    guard let entry = entries[avs] else { throw .unknownAVS(avs) }
    guard let key = entry.aggregators[aggregator] else { throw .unknownAggregator(aggregator, avs: avs) }
    return key
  }
}

extension VerificationKey {
  fileprivate init(_ key: StaticRegistryConfig.AggregatorKey) throws {
    switch key {
    case .ecdsa(let signingAddress): self = .ecdsa(signingAddress)
    case .bn254(let publicKey): self = .bn254(try BN254PublicKey(bytes: publicKey))
    }
  }
}
