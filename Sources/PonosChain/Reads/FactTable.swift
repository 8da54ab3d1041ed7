import PonosCore

/// Answers of contracts, each with the stretch of the chain for which it holds. Bounded: what was not used for long goes.
struct FactTable: Sendable {
  /// The stretch for which an answer holds.
  enum Span: Hashable, Sendable {
    /// An epoch of the contract, by its first block.
    case epoch(UInt64)
    /// One block only, by its hash: one that is older than the blocks known.
    case block(Digest32)
  }

  struct Key: Hashable, Sendable {
    let call: ViewCall
    let span: Span
  }

  /// Answers in each of the two generations. An answer is about 500 bytes.
  private let limit: Int
  private var young: [Key: CallOutcome] = [:]
  /// What has not been used since `young` was last full.
  private var old: [Key: CallOutcome] = [:]

  init(limit: Int = 8_192) {
    self.limit = limit
  }

  var count: Int { young.count + old.count }

  /// What is known; using it keeps it.
  mutating func outcome(of key: Key) -> CallOutcome? {
    if let outcome = young[key] { return outcome }
    guard let outcome = old.removeValue(forKey: key) else { return nil }
    store(outcome, for: key)
    return outcome
  }

  mutating func store(_ outcome: CallOutcome, for key: Key) {
    if young.count >= limit { (old, young) = (young, [:]) }
    young[key] = outcome
  }

  /// Removes what is of epochs that began after `number`, of blocks that a reorganisation replaced.
  mutating func cut(after number: UInt64) {
    func isGone(_ key: Key) -> Bool {
      if case .epoch(let start) = key.span { start > number } else { false }
    }
    young = young.filter { !isGone($0.key) }
    old = old.filter { !isGone($0.key) }
  }

  mutating func removeAll() {
    (young, old) = ([:], [:])
  }

  /// Calls that were used lately and are known for another epoch of their contract only; at most `limit`.
  func calls(outdatedBy epoch: (EthereumAddress) -> UInt64, limit: Int) -> [ViewCall] {
    var outdated: Set<ViewCall> = []
    for key in young.keys {
      guard case .epoch(let start) = key.span, outdated.count < limit else { continue }
      let current = epoch(key.call.contract)
      guard start < current, young[Key(call: key.call, span: .epoch(current))] == nil else { continue }
      outdated.insert(key.call)
    }
    return Array(outdated)
  }
}
