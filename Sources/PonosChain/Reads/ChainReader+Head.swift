import PonosCore
import Synchronization

/// How the newest block is followed.
extension ChainReader {
  /// Blocks before the newest one that are fetched at the start, since submissions name the block of their task.
  private static let initialBlocks: UInt64 = 16
  /// Blocks that are fetched to join a new head to those known; beyond, everything known is forgotten.
  private static let longestGap: UInt64 = 64

  /// What is known of the chain's end.
  package struct HeadStatus: Sendable, Equatable {
    package let head: BlockHeader?
    /// Since an endpoint last told of its head; nil before the first time.
    package let silence: Duration?
    package let lastError: ChainError?
    /// Since asking for the head last failed; nil when it has not.
    package let sinceFailure: Duration?
    package let secondsPerBlock: Double
  }

  package var headStatus: HeadStatus {
    state.withLock { state in
      HeadStatus(
        head: state.segment.head, silence: state.lastContact.map { .now - $0 }, lastError: state.lastError,
        sinceFailure: state.lastFailure.map { .now - $0 }, secondsPerBlock: state.secondsPerBlock)
    }
  }

  /// A stretch of the chain in which no contract that was ever read can have changed: from a block on, to the newest one.
  package struct Stability: Hashable, Sendable {
    /// Another one for each change.
    package let generation: UInt64
    package let since: UInt64
  }

  /// nil before anything was read.
  package var stability: Stability? {
    state.withLock { state in
      state.segment.quietSince.map { Stability(generation: state.segment.generation, since: $0) }
    }
  }

  /// The newest block known.
  package var head: BlockHeader? { state.withLock { $0.segment.head } }

  /// Asks for the newest block and takes in what is new. Returns whether the head is another one than before.
  @discardableResult
  package func advance() async throws(ChainError) -> Bool {
    do throws(ChainError) {
      guard case .header(let newest)? = try await pool.read([.head]).first else {
        throw ChainError(.malformedResult, endpoint: "the endpoint", call: RPCRequest.head.summary)
      }
      let hasChanged = try await join(try await confirmed(newest))
      state.withLock { ($0.lastContact, $0.lastError, $0.lastFailure) = (.now, nil, nil) }
      return hasChanged
    } catch {
      state.withLock { ($0.lastError, $0.lastFailure) = (error, .now) }
      throw error
    }
  }

  /// With an agreement, the newest block that so many endpoints have alike: it, or one of the two before it.
  private func confirmed(_ newest: BlockHeader) async throws(ChainError) -> BlockHeader {
    guard agreement > 1 else { return newest }
    var last: ChainError?
    for number in stride(from: newest.number, through: newest.number - min(2, newest.number), by: -1) {
      do throws(ChainError) {
        if case .header(let header)? = try await pool.read([.block(number: number)], needed: agreement).first { return header }
      } catch {
        last = error
      }
    }
    throw last ?? ChainError(.tooFewAnswers, endpoint: "the endpoints", call: RPCRequest.head.summary)
  }

  /// Takes in `newest` and the blocks between it and those known.
  func join(_ newest: BlockHeader) async throws(ChainError) -> Bool {
    if state.withLock({ $0.segment.contains(newest) || $0.isBehind(newest) }) { return false }
    /// Ascending; ends with `newest`.
    var blocks = [newest]
    while !state.withLock({ $0.take(blocks) }) {
      guard let next = state.withLock({ $0.nextStep(before: blocks, initial: Self.initialBlocks) }),
        blocks.count < Int(Self.longestGap)
      else {
        state.withLock { $0.restart(with: blocks) }
        return true
      }
      blocks = try await ancestors(from: next, of: blocks[0]) + blocks
    }
    return true
  }

  /// The blocks from `number` to the parent of `block`, in ascending order and one upon the other.
  private func ancestors(from number: UInt64, of block: BlockHeader) async throws(ChainError) -> [BlockHeader] {
    let requests: [RPCRequest] =
      number + 1 == block.number
      ? [.block(hash: block.parentHash)] : (number..<block.number).map { .block(number: $0) }
    let headers = try await pool.read(requests, needed: agreement).compactMap { result in
      if case .header(let header) = result { header } else { nil }
    }
    for (parent, child) in zip(headers, headers.dropFirst() + [block]) where parent.hash != child.parentHash {
      throw ChainError(
        .blockUnknown, endpoint: "the endpoint", call: RPCRequest.head.summary, cause: "the chain changed while it was read")
    }
    return headers
  }
}

extension ChainReader.State {
  /// Seconds between blocks; Ethereum's twelve while nothing else is known.
  var secondsPerBlock: Double { min(max(segment.secondsPerBlock ?? 12, 0.2), 15) }

  /// Whether `header` is the head of a node that is behind the one that told of ours.
  fileprivate func isBehind(_ header: BlockHeader) -> Bool {
    guard let head = segment.head, let lastProgress else { return false }
    // A chain that really became shorter is believed after half a minute without a higher block.
    return header.number < head.number && .now - lastProgress < .seconds(30) && segment.header(at: header.number) == nil
  }

  /// Appends `blocks` when the first of them follows a known one; blocks beside them were replaced.
  fileprivate mutating func take(_ blocks: [BlockHeader]) -> Bool {
    // Somebody else may have taken in some of them meanwhile.
    let blocks = blocks.drop { segment.contains($0) }
    guard !blocks.isEmpty else { return true }
    guard let first = blocks.first, first.number > 0, let parent = segment.header(at: first.number - 1),
      parent.hash == first.parentHash
    else { return false }
    if let head = segment.head, head.number >= first.number {
      figures.reorganisations += 1
      forget(after: parent.number)
    }
    for block in blocks { segment.append(block) }
    lastProgress = .now
    return true
  }

  /// The block from which to fetch those before `blocks`; nil when they cannot be joined to what is known.
  fileprivate func nextStep(before blocks: [BlockHeader], initial: UInt64) -> UInt64? {
    guard let oldest = blocks.first?.number, oldest > 0 else { return nil }
    guard let head = segment.head, let first = segment.first else {
      return blocks.count == 1 ? oldest - min(initial, oldest) : nil
    }
    if oldest > head.number + 1 { return oldest - head.number - 1 <= 64 ? head.number + 1 : nil }
    return oldest > first.number ? oldest - 1 : nil
  }

  /// Begins anew with `blocks`: nothing that was known can be joined to them.
  fileprivate mutating func restart(with blocks: [BlockHeader]) {
    if segment.head != nil { figures.reorganisations += 1 }
    segment = ChainSegment(generation: segment.generation + 1)
    facts.removeAll()
    oldBlocks.removeAll()
    for block in blocks { segment.append(block) }
    lastProgress = .now
  }

  private mutating func forget(after number: UInt64) {
    segment.cut(after: number)
    facts.cut(after: number)
    oldBlocks = oldBlocks.filter { $0.key <= number }
  }
}
