import PonosChain
import PonosCore
import PonosCrypto

/// Verdicts that hold for as long as no contract logs anything, and points of keys, which take long to check. Bounded.
struct VerdictCache: Sendable {
  private struct Key: Hashable {
    let set: OperatorSet
    let aggregator: EthereumAddress
  }

  private struct Entry {
    let standing: SubmissionStanding
    let stability: ChainReader.Stability
  }

  private static let limit = 4_096

  /// Verdicts that were given from here.
  private(set) var uses = 0
  private var entries: [Key: Entry] = [:]
  private var keys: [RegisteredKey: VerificationKey] = [:]

  /// What was decided on a claim of the same aggregator in the same set, if nothing can have changed since, down to the block it names.
  mutating func standing(
    for claim: SubmissionClaim, _ status: ChainReader.HeadStatus, _ stability: ChainReader.Stability?
  ) -> SubmissionStanding? {
    guard let entry = entries[Key(set: claim.operatorSet, aggregator: claim.aggregator)], entry.stability == stability,
      let head = status.head
    else { return nil }
    guard claim.block == 0 || (entry.stability.since...max(entry.stability.since, head.number)).contains(claim.block) else {
      return nil
    }
    uses += 1
    return entry.standing
  }

  mutating func keep(_ standing: SubmissionStanding, for claim: SubmissionClaim, _ stability: ChainReader.Stability) {
    if entries.count >= Self.limit { entries = entries.filter { $0.value.stability == stability } }
    if entries.count >= Self.limit { entries.removeAll() }
    entries[Key(set: claim.operatorSet, aggregator: claim.aggregator)] = Entry(standing: standing, stability: stability)
  }

  mutating func removeAll() {
    entries.removeAll()
  }

  /// The key behind a registered one, with its point checked once.
  mutating func key(_ registered: RegisteredKey) throws(KeyError) -> VerificationKey {
    if let key = keys[registered] { return key }
    let key = try registered.verificationKey()
    if keys.count >= Self.limit { keys.removeAll() }
    keys[registered] = key
    return key
  }
}
