import PonosChain
import PonosCore
import PonosCrypto
import PonosSystem
import Synchronization

/// A registry that says what EigenLayer's contracts say, at the block of a submission and now.
package final class ChainOperatorSetRegistry: OperatorSetRegistry {
  package struct Settings: Sendable {
    /// Oldest block that a submission may name.
    package var maxBlockAge = Duration.seconds(7 * 86400)
    /// Blocks for which a replaced key stays good.
    package var rotationGrace: UInt64 = 64
    package var maxStale = Duration.seconds(600)

    package init() {}
  }

  let reader: ChainReader
  let facts: ChainFactsReader
  let settings: Settings
  let freshness: ChainFreshness
  private let avs: Set<EthereumAddress>
  private let curves: @Sendable (OperatorSet) -> Set<SignatureCurve>
  private let clock: TaskClock
  /// Set once the keys are decrypted.
  private let keys = Mutex<KeyRing?>(nil)
  let lookups = Mutex(AggregatorLookups())
  let verdicts = Mutex(VerdictCache())

  /// - Parameters:
  ///   - avs: Those it answers for.
  ///   - curves: The curves that a set can have for us, since there are keys of them.
  package init(
    reader: ChainReader, allocationManager: EthereumAddress, keyRegistrar: EthereumAddress, operatorAddress: EthereumAddress,
    avs: Set<EthereumAddress>, curves: @escaping @Sendable (OperatorSet) -> Set<SignatureCurve>, settings: Settings,
    clock: TaskClock = .system
  ) {
    self.curves = curves
    self.reader = reader
    facts = ChainFactsReader(
      manager: AllocationManager(address: allocationManager), keys: KeyRegistrar(address: keyRegistrar),
      operatorAddress: operatorAddress)
    self.avs = avs
    self.settings = settings
    self.clock = clock
    freshness = ChainFreshness(maxStale: settings.maxStale)
  }

  /// The keys that registered ones are compared with.
  package func use(_ keys: KeyRing) {
    self.keys.withLock { $0 = keys }
    verdicts.withLock { $0.removeAll() }
  }

  package func checkServes(_ address: EthereumAddress) throws(Rejection) {
    if !avs.contains(address) { throw .unknownAVS(address) }
  }

  package func standing(of claim: SubmissionClaim) async throws(Rejection) -> SubmissionStanding {
    try checkServes(claim.operatorSet.avs)
    if let known = remembered(claim) { return known }
    try checkSignatureForm(of: claim)
    return try await readStanding(of: claim)
  }

  package func executorCurve(of set: OperatorSet, atBlock block: UInt64) async throws(Rejection) -> SignatureCurve {
    try checkServes(set.avs)
    let header = try await position(of: block).header
    let member = try await decide(at: header) { (lookup) throws(ContractError) -> SetMember? in
      guard let configuration = try self.facts.configuration(of: set.avs, &lookup),
        let member = try self.facts.member(self.facts.operatorAddress, of: set, &lookup)
      else { return nil }
      return configuration.executorSets.contains(set.id) ? member : SetMember(curve: nil, isMember: false, key: nil)
    }
    guard let curve = member.curve else { throw .unknownOperatorSet(set) }
    guard member.isMember else { throw .chain(.operatorNotInSet(set, at: header.number)) }
    return curve
  }

  package func aggregatorKey(
    of aggregator: EthereumAddress, avs: EthereumAddress, atBlock block: UInt64
  ) async throws(Rejection) -> VerificationKey {
    try checkServes(avs)
    try chargeStranger(aggregator, avs: avs)
    let header = try await position(of: block).header
    let (set, member) = try await decide(at: header) { (lookup) throws(ContractError) -> (OperatorSet, SetMember)? in
      guard let configuration = try self.facts.configuration(of: avs, &lookup) else { return nil }
      let set = OperatorSet(avs: avs, id: configuration.aggregatorSet)
      return try self.facts.member(aggregator, of: set, &lookup).map { (set, $0) }
    }
    guard member.isMember, let key = member.key else {
      throw .chain(.aggregatorNotRegistered(aggregator, set, at: header.number))
    }
    lookups.withLock { $0.note(aggregator, avs: avs, key: key) }
    return try verificationKey(key)
  }

  /// A set's curve never changes, so any block tells, and where there is a key of one curve only, it is that.
  package func acceptedCurve(of set: OperatorSet) async throws(Rejection) -> SignatureCurve {
    try checkServes(set.avs)
    let possible = curves(set)
    if possible.count == 1, let curve = possible.first { return curve }
    let header = try await position(of: 0).header
    let curve = try await decide(at: header) { (lookup) throws(ContractError) in
      try lookup.answer(self.facts.keys.curve(of: set))
    }
    guard let curve else { throw .unknownOperatorSet(set) }
    return curve
  }

  /// The verdict on an earlier submission, while nothing can have changed it.
  private func remembered(_ claim: SubmissionClaim) -> SubmissionStanding? {
    let (status, stability) = (reader.headStatus, reader.stability)
    guard let known = verdicts.withLock({ $0.standing(for: claim, status, stability) }), freshness.standing(status) != .lost
    else { return nil }
    guard claim.block != 0, let head = status.head else { return known }
    guard let header = reader.knownHeader(at: claim.block), !isTooOld(header, at: head) else { return nil }
    return known
  }

  /// Submissions that were decided on by an earlier verdict.
  package var rememberedCount: Int { verdicts.withLock { $0.uses } }

  func isTooOld(_ header: BlockHeader, at head: BlockHeader) -> Bool {
    guard head.timestamp > header.timestamp else { return false }
    return Double(head.timestamp - header.timestamp) > settings.maxBlockAge / .seconds(1)
  }

  // MARK: Before anybody is asked

  /// A signature that no key can have made needs no key to be refused.
  private func checkSignatureForm(of claim: SubmissionClaim) throws(Rejection) {
    switch claim.signature.count {
    case 64: return
    case 65:
      do throws(SignatureError) {
        guard try ECDSASignature(bytes: claim.signature).recover(claim.digest) == nil else { return }
      } catch {
        throw .badSignature(error.message)
      }
      throw .badSignature("is of no key")
    default: throw .badSignature("has \(claim.signature.count) bytes; ECDSA signatures have 65, BN254 signatures 64")
    }
  }

  /// Requests for strangers are few; somebody who signs with a key that was seen before is none.
  func chargeUnlessSigned(_ claim: SubmissionClaim) async throws(Rejection) {
    let avs = claim.operatorSet.avs
    if let key = lookups.withLock({ $0.key(of: claim.aggregator, avs: avs) }) {
      if await claim.isSignedBy(try verificationKey(key)) { return }
    }
    try charge(avs)
  }

  private func chargeStranger(_ aggregator: EthereumAddress, avs: EthereumAddress) throws(Rejection) {
    if lookups.withLock({ $0.key(of: aggregator, avs: avs) }) == nil { try charge(avs) }
  }

  private func charge(_ avs: EthereumAddress) throws(Rejection) {
    if let wait = lookups.withLock({ $0.charge(avs: avs, at: clock.monotonic()) }) {
      throw .chain(.lookupsLimited(avs: avs, retryAfter: wait))
    }
  }

  // MARK: Keys

  func rules(for claim: SubmissionClaim, at block: UInt64) -> ChainStandingRules {
    let keys = keys.withLock(\.self)
    return ChainStandingRules(
      operatorSet: claim.operatorSet, aggregator: claim.aggregator, block: block,
      ownKey: { keys?.key($0, for: claim.operatorSet)?.verificationKey })
  }

  func verificationKey(_ key: RegisteredKey) throws(Rejection) -> VerificationKey {
    do throws(KeyError) { return try verdicts.withLock { (cache) throws(KeyError) in try cache.key(key) } } catch {
      throw .chain(.unavailable(problem: "the registered key \(key) cannot be used: \(error.message)"))
    }
  }
}
