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
