import PonosCore
import PonosCrypto

/// Decides on a submission by what the contracts say at its block and now.
struct ChainStandingRules: Sendable {
  let operatorSet: OperatorSet
  let aggregator: EthereumAddress
  /// The block that the submission names, or the newest one.
  let block: UInt64
  /// What is configured for the set, by curve; nil while keys are being decrypted, when nothing is compared.
  let ownKey: @Sendable (SignatureCurve) -> VerificationKey?

  /// What counts.
  struct Verdict: Hashable, Sendable {
    let curve: SignatureCurve
    let aggregatorKey: RegisteredKey
  }

  /// Whether it matters what held a grace before the newest block: a key has been replaced since.
  func needsGrace(named: ChainFacts, newest: ChainFacts) -> Bool {
    named.aggregator.key != newest.aggregator.key || named.executor.key != newest.executor.key
  }

  /// - Parameters:
  ///   - named: At the block that the submission names.
  ///   - newest: At the newest block.
  ///   - grace: At the last block at which a key has to have been good that is not the newest one; nil when none was replaced.
  func judge(named: ChainFacts, newest: ChainFacts, grace: ChainFacts?) throws(Rejection) -> Verdict {
    try checkSet(named)
    try checkSet(newest)
    try checkMemberships(named, newest)
    guard let curve = named.executor.curve else { throw .unknownOperatorSet(operatorSet) }
    let aggregatorSet = OperatorSet(avs: operatorSet.avs, id: named.aggregatorSet)
    guard let key = named.aggregator.key else {
      throw .chain(.aggregatorNotRegistered(aggregator, aggregatorSet, at: block))
    }
    if key != newest.aggregator.key, key != grace?.aggregator.key {
      throw .chain(.aggregatorKeyReplaced(aggregator, aggregatorSet, at: block))
    }
    try checkOwnKey(curve, named, newest, grace)
    return Verdict(curve: curve, aggregatorKey: key)
  }

  private func checkSet(_ facts: ChainFacts) throws(Rejection) {
    guard facts.executorSets.contains(operatorSet.id), facts.executor.curve != nil else {
      throw .unknownOperatorSet(operatorSet)
    }
  }

  /// An old block must not bring anybody back who has left.
  private func checkMemberships(_ named: ChainFacts, _ newest: ChainFacts) throws(Rejection) {
    guard named.aggregator.isMember, newest.aggregator.isMember else {
      let set = OperatorSet(avs: operatorSet.avs, id: newest.aggregatorSet)
      throw .chain(.aggregatorNotRegistered(aggregator, set, at: block))
    }
    guard named.executor.isMember, newest.executor.isMember else { throw .chain(.operatorNotInSet(operatorSet, at: block)) }
  }

  private func checkOwnKey(
    _ curve: SignatureCurve, _ named: ChainFacts, _ newest: ChainFacts, _ grace: ChainFacts?
  ) throws(Rejection) {
    guard let registered = named.executor.key else { throw .chain(.signingKeyNotRegistered(operatorSet, at: block)) }
    if registered != newest.executor.key, registered != grace?.executor.key {
      throw .chain(.signingKeyNotRegistered(operatorSet, at: block))
    }
    guard let own = ownKey(curve) else { return }
    if !registered.isPublicPart(of: own) {
      throw .chain(
        .signingKeyDiffers(operatorSet, registered: registered.description, configured: own.description))
    }
  }
}
