import PonosCore
import PonosSystem
import Synchronization

/// Answers of contracts at blocks of one chain: asks endpoints for what is not known, once for everybody who needs it.
///
/// Owner of what is known of the chain. `ChainReader+Head.swift` follows the newest block, `ChainReader+Blocks.swift` finds others.
package final class ChainReader: Sendable {
  struct State: Sendable {
    var segment = ChainSegment()
    var facts = FactTable()
    var flights = FlightTable()
    /// Blocks older than the segment, by number.
    var oldBlocks: [UInt64: BlockHeader] = [:]
    /// When an endpoint last told of its head; nil before the first time.
    var lastContact: ContinuousClock.Instant?
    /// When a block was last appended.
    var lastProgress: ContinuousClock.Instant?
    var lastError: ChainError?
    /// When asking for the head last failed.
    var lastFailure: ContinuousClock.Instant?
    var figures = Figures()
  }

  /// Counts since the start.
  package struct Figures: Sendable, Equatable {
    /// Decisions made from what was known, and those that had to read.
    package var hits = 0
    package var misses = 0
    package var reorganisations = 0
  }

  /// Rounds of reading a decision may take; each brings what the one before showed to be missing.
  private static let maxRounds = 8
  /// Calls that are read again beside those asked for, because they are out of date as well.
  private static let maxCompanions = 40

  package let pool: EndpointPool
  /// Endpoints that have to give the same answer.
  package let agreement: Int
  let state = Mutex(State())

  package init(pool: EndpointPool, agreement: Int = 1) {
    self.pool = pool
    self.agreement = agreement
  }

  package var figures: Figures { state.withLock { $0.figures } }

  /// What `decide` says at the block `header`, when everything it needs is known; nil otherwise. Asks nobody.
  package func known<Value>(
    at header: BlockHeader, _ decide: (inout FactLookup) throws(ContractError) -> Value?
  ) throws(ContractError) -> Value? {
    try attempt(at: header, decide).value
  }

  /// What `decide` says at the block `header`. Reads what it needs and is not known.
  package func decide<Value>(
    at header: BlockHeader, _ decide: (inout FactLookup) throws(ContractError) -> Value?
  ) async throws(ReadError) -> Value {
    for round in 0..<Self.maxRounds {
      let (value, missing): (Value?, [ViewCall])
      do throws(ContractError) { (value, missing) = try attempt(at: header, decide) } catch { throw .contract(error) }
      if round == 0 { state.withLock { value == nil ? ($0.figures.misses += 1) : ($0.figures.hits += 1) } }
      if let value { return value }
      do throws(ChainError) { try await read(missing, at: header) } catch { throw .chain(error) }
    }
    throw .chain(
      ChainError(.blockUnknown, endpoint: "the chain", call: "eth_call", cause: "it changes faster than it can be read"))
  }

  /// Reads anew, for the newest block, what was in use and may have changed. One request, or none.
  package func refresh() async throws(ChainError) {
    guard let head = state.withLock({ $0.segment.head }) else { return }
    let outdated = state.withLock { $0.outdated(at: head, limit: Self.maxCompanions * 4) }
    if !outdated.isEmpty { try await read(outdated, at: head) }
  }

  // MARK: Known facts

  private func attempt<Value>(
    at header: BlockHeader, _ decide: (inout FactLookup) throws(ContractError) -> Value?
  ) throws(ContractError) -> (value: Value?, missing: [ViewCall]) {
    // The answers are looked up under the lock, the decision is made outside: it may check points of curves.
    var lookup = FactLookup { [self] call in
      state.withLock { state in
        let key = state.key(of: call, at: header)
        return state.facts.outcome(of: key)
      }
    }
    let value = try decide(&lookup)
    return (value, lookup.missing)
  }

  // MARK: Reading

  /// Returns when all `calls` are known at `header`, or were for a moment.
  private func read(_ calls: [ViewCall], at header: BlockHeader) async throws(ChainError) {
    var remaining = calls
    while !remaining.isEmpty {
      let (mine, flight) = state.withLock { $0.share(remaining, at: header, companions: Self.maxCompanions) }
      if mine.isEmpty {
        guard let flight else { return }
        try await wait(for: flight)
      } else if let flight {
        try await fly(flight, mine, at: header)
      }
      remaining = state.withLock { state in
        remaining.filter { state.facts.outcome(of: state.key(of: $0, at: header)) == nil && !mine.contains($0) }
      }
    }
  }

  /// Asks the endpoints, keeps what they say, and lets everybody go on who waits for it.
  private func fly(_ flight: UInt64, _ calls: [ViewCall], at header: BlockHeader) async throws(ChainError) {
    let requests = calls.map { RPCRequest.call($0, at: .hash(header.hash)) }
    let outcome: FlightTable.Outcome
    do throws(ChainError) {
      let results = try await pool.read(requests, needed: agreement)
      state.withLock { $0.keep(zip(calls, results), at: header) }
      outcome = .success(())
    } catch {
      outcome = .failure(error)
    }
    state.withLock { $0.flights.end(flight) }.resume(returning: outcome)
    try outcome.get()
  }

  /// Waits for somebody else's read. Fails as it fails; but when only its caller went away, the one who waits reads itself.
  private func wait(for flight: UInt64) async throws(ChainError) {
    let outcome = await state.wait(
      in: \.flights.waiters, for: flight, cancelled: .success(()),
      unless: { $0.flights.isFlying(flight) ? nil : .success(()) })
    if Task.isCancelled { throw ChainError(.cancelled, endpoint: "nobody", call: "eth_call") }
    if case .failure(let error) = outcome, error.code != .cancelled { throw error }
  }
}

/// Why a decision could not be made.
package enum ReadError: Error, Sendable, Equatable {
  /// No endpoint gave an answer.
  case chain(ChainError)
  /// A contract is not what it should be.
  case contract(ContractError)
}

extension ChainReader.State {
  /// Under which an answer at `header` is kept.
  mutating func key(of call: ViewCall, at header: BlockHeader) -> FactTable.Key {
    guard segment.contains(header) else { return FactTable.Key(call: call, span: .block(header.hash)) }
    return FactTable.Key(call: call, span: .epoch(segment.epoch(of: call.contract, at: header.number)))
  }

  /// Keeps answers, unless their block has left the chain meanwhile.
  fileprivate mutating func keep(_ answers: Zip2Sequence<[ViewCall], [RPCResult]>, at header: BlockHeader) {
    for (call, result) in answers {
      guard case .call(let outcome) = result else { continue }
      facts.store(outcome, for: key(of: call, at: header))
    }
  }

  /// Which of `calls` the caller has to read itself, with the name of that read; or the read of somebody else to wait for.
  fileprivate mutating func share(
    _ calls: [ViewCall], at header: BlockHeader, companions: Int
  ) -> (mine: [ViewCall], flight: UInt64?) {
    var mine: [FactTable.Key] = []
    var others: UInt64?
    for call in calls {
      let key = key(of: call, at: header)
      if let flight = flights.flight(of: key) { others = flight } else { mine.append(key) }
    }
    if mine.isEmpty { return ([], others) }
    let asked = Set(mine.map(\.call))
    for call in outdated(at: header, limit: companions) where !asked.contains(call) {
      let key = key(of: call, at: header)
      if flights.flight(of: key) == nil { mine.append(key) }
    }
    return (mine.map(\.call), flights.begin(mine))
  }

  /// Calls in use whose answers may have changed by the newest block; none when `header` is another one.
  fileprivate mutating func outdated(at header: BlockHeader, limit: Int) -> [ViewCall] {
    guard segment.head?.hash == header.hash else { return [] }
    var segment = segment
    defer { self.segment = segment }
    return facts.calls(outdatedBy: { segment.epoch(of: $0, at: header.number) }, limit: limit)
  }
}
