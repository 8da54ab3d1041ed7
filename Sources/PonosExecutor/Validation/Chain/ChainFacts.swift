import PonosChain
import PonosCore

/// What the contracts say of one operator in one operator set.
struct SetMember: Hashable, Sendable {
  /// nil for a set that has no curve.
  let curve: SignatureCurve?
  let isMember: Bool
  let key: RegisteredKey?
}

/// What the contracts say at one block that decides on a submission.
struct ChainFacts: Hashable, Sendable {
  /// Executor operator sets of the AVS.
  let executorSets: [UInt32]
  let aggregatorSet: UInt32
  /// This operator in the set of the submission.
  let executor: SetMember
  /// The aggregator in the aggregator set.
  let aggregator: SetMember
}

/// Reads facts from the contracts, as decisions over what is known of them.
struct ChainFactsReader: Sendable {
  let manager: AllocationManager
  let keys: KeyRegistrar
  let operatorAddress: EthereumAddress

  /// The set that Hourglass's deployments give their aggregators. Read at once with what is needed in any case; another set costs
  /// one more request when an AVS is read for the first time.
  private static let usualAggregatorSet: UInt32 = 0

  /// Everything for a submission of `aggregator` in `set`; nil until all of it is known.
  func facts(
    for set: OperatorSet, aggregator: EthereumAddress, _ lookup: inout FactLookup
  ) throws(ContractError) -> ChainFacts? {
    let executor = try member(operatorAddress, of: set, &lookup)
    guard let configuration = try configuration(of: set.avs, &lookup) else {
      _ = try member(aggregator, of: OperatorSet(avs: set.avs, id: Self.usualAggregatorSet), &lookup)
      return nil
    }
    let aggregators = OperatorSet(avs: set.avs, id: configuration.aggregatorSet)
    guard let aggregator = try member(aggregator, of: aggregators, &lookup), let executor else { return nil }
    return ChainFacts(
      executorSets: configuration.executorSets, aggregatorSet: configuration.aggregatorSet, executor: executor,
      aggregator: aggregator)
  }

  /// The operator sets that the registrar of `avs` names.
  func configuration(
    of avs: EthereumAddress, _ lookup: inout FactLookup
  ) throws(ContractError) -> TaskAVSRegistrar.Configuration? {
    guard let registrar = try lookup.answer(manager.registrar(of: avs)) else { return nil }
    return try lookup.answer(TaskAVSRegistrar(address: registrar).configuration())
  }

  /// While the curve is not known, keys of both are asked for: the call for the wrong one costs nothing but its refusal.
  func member(
    _ registrant: EthereumAddress, of set: OperatorSet, _ lookup: inout FactLookup
  ) throws(ContractError) -> SetMember? {
    let isMember = try lookup.answer(manager.isMember(registrant, of: set))
    guard let curve = try lookup.answer(keys.curve(of: set)) else {
      _ = try lookup.answer(keys.ecdsaAddress(of: registrant, in: set))
      _ = try lookup.answer(keys.bn254Key(of: registrant, in: set))
      return nil
    }
    guard let key = try key(of: registrant, in: set, curve, &lookup), let isMember else { return nil }
    return SetMember(curve: curve, isMember: isMember, key: key)
  }

  /// nil while it is not known; a known nil for no key.
  private func key(
    of registrant: EthereumAddress, in set: OperatorSet, _ curve: SignatureCurve?, _ lookup: inout FactLookup
  ) throws(ContractError) -> RegisteredKey?? {
    switch curve {
    case .ecdsa: try lookup.answer(keys.ecdsaAddress(of: registrant, in: set)).map { $0.map(RegisteredKey.ecdsa) }
    case .bn254: try lookup.answer(keys.bn254Key(of: registrant, in: set)).map { $0.map(RegisteredKey.bn254) }
    case nil: .some(nil)
    }
  }
}
