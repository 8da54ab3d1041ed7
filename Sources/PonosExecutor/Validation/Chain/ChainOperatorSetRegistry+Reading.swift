import PonosChain
import PonosCore
import Synchronization

/// How the facts for a submission are found, at its block and at the newest one.
extension ChainOperatorSetRegistry {
  /// Where a submission is looked at.
  struct Position: Sendable {
    /// Its block.
    let header: BlockHeader
    /// The newest block known.
    let head: BlockHeader
  }

  func readStanding(of claim: SubmissionClaim) async throws(Rejection) -> SubmissionStanding {
    // Of a stranger, even the block it names costs a request.
    try await chargeUnlessKnown(claim)
    let stability = reader.stability
    let position = try await position(of: claim.block)
    let newest = try await facts(for: claim, at: position.head)
    let named = position.header == position.head ? newest : try await facts(for: claim, at: position.header)
    let rules = rules(for: claim, at: position.header.number)
    var grace: ChainFacts?
    if rules.needsGrace(named: named, newest: newest) {
      grace = try await graceFacts(for: claim, at: position, named: named)
    }
    let verdict = try rules.judge(named: named, newest: newest, grace: grace)
    lookups.withLock { $0.note(claim.aggregator, avs: claim.operatorSet.avs, key: verdict.aggregatorKey) }
    let standing = SubmissionStanding(curve: verdict.curve, aggregatorKey: try verificationKey(verdict.aggregatorKey))
    if grace == nil, named == newest { keep(standing, for: claim, stability) }
    return standing
  }

  /// Nothing is charged for what is known, of strangers too: they are remembered.
  private func chargeUnlessKnown(_ claim: SubmissionClaim) async throws(Rejection) {
    if claim.block == 0 || reader.knownHeader(at: claim.block) != nil, let head = reader.head {
      let header = claim.block == 0 ? head : reader.knownHeader(at: claim.block) ?? head
      if isKnown(claim, at: head), isKnown(claim, at: header) { return }
    }
    try await chargeUnlessSigned(claim)
  }

  private func isKnown(_ claim: SubmissionClaim, at header: BlockHeader) -> Bool {
    do throws(ContractError) {
      return try reader.known(at: header) { (lookup) throws(ContractError) in
        try self.facts.facts(for: claim.operatorSet, aggregator: claim.aggregator, &lookup)
      } != nil
    } catch {
      // An answer as well, if a bad one.
      return true
    }
  }

  // MARK: Blocks

  /// The block `number` (0: the newest one) and the newest one. Waits for one that is about to come.
  func position(of number: UInt64) async throws(Rejection) -> Position {
    let head = try await head()
    guard number != 0, number != head.number else { return Position(header: head, head: head) }
    let header: BlockHeader
    do throws(ChainError) { header = try await reader.header(at: number) } catch {
      let status = reader.headStatus
      // While the chain cannot be asked, the newest block known stands for those after it.
      if error.code != .blockUnknown, error.code != .cancelled, freshness.isPlausible(number, after: status) {
        return Position(header: head, head: head)
      }
      throw rejection(of: error, block: number)
    }
    let newest = reader.head ?? header
    if isTooOld(header, at: newest) { throw .chain(.blockTooOld(number, limit: settings.maxBlockAge)) }
    return Position(header: header, head: newest)
  }

  /// The newest block known, unless it has been the newest for too long.
  private func head() async throws(Rejection) -> BlockHeader {
    let status = reader.headStatus
    if let head = status.head, freshness.standing(status) != .lost { return head }
    // During an outage one of many callers asks again every two seconds.
    if let failed = status.sinceFailure, failed < .seconds(2) { throw .chain(.unavailable(problem: "no endpoint answers")) }
    do throws(ChainError) { try await reader.advance() } catch {
      throw .chain(.unavailable(problem: error.code.rawValue))
    }
    guard let head = reader.head else { throw .chain(.unavailable(problem: "no block is known")) }
    return head
  }

  // MARK: Facts

  private func facts(for claim: SubmissionClaim, at header: BlockHeader) async throws(Rejection) -> ChainFacts {
    try await decide(at: header) { (lookup) throws(ContractError) in
      try self.facts.facts(for: claim.operatorSet, aggregator: claim.aggregator, &lookup)
    }
  }

  /// The facts at the block at which a replaced key has to have been good still: a grace before the newest one, or at the submission's own
  /// block when that is later.
  private func graceFacts(
    for claim: SubmissionClaim, at position: Position, named: ChainFacts
  ) async throws(Rejection) -> ChainFacts? {
    guard settings.rotationGrace > 0 else { return nil }
    let (head, grace) = (position.head.number, settings.rotationGrace)
    let number = head > grace ? head - grace : 0
    if position.header.number >= number { return named }
    let header: BlockHeader
    do throws(ChainError) { header = try await reader.header(at: number) } catch {
      throw rejection(of: error, block: number)
    }
    return try await facts(for: claim, at: header)
  }

  func decide<Value: Sendable>(
    at header: BlockHeader, _ decide: @Sendable (inout FactLookup) throws(ContractError) -> Value?
  ) async throws(Rejection) -> Value {
    do throws(ReadError) { return try await reader.decide(at: header, decide) } catch {
      switch error {
      case .chain(let error): throw rejection(of: error, block: header.number)
      case .contract(let error): throw rejection(of: error)
      }
    }
  }

  private func rejection(of error: ChainError, block: UInt64) -> Rejection {
    switch error.code {
    case .blockUnknown: .chain(.blockUnknown(block, head: reader.head?.number ?? 0))
    case .statePruned: .chain(.stateUnavailable(block))
    // The sender is told the kind of fault only: which endpoints we use is not its business.
    default: .chain(.unavailable(problem: error.code.rawValue))
    }
  }

  private func rejection(of error: ContractError) -> Rejection {
    guard error.call.name == "TaskAVSRegistrar.getAvsConfig" else {
      return .chain(.unavailable(problem: error.description))
    }
    return .chain(.avsNotRegistered(error.call.contract, problem: error.description))
  }

  // MARK: Verdicts

  private func keep(_ standing: SubmissionStanding, for claim: SubmissionClaim, _ stability: ChainReader.Stability?) {
    guard let stability, stability == reader.stability else { return }
    verdicts.withLock { $0.keep(standing, for: claim, stability) }
  }
}
