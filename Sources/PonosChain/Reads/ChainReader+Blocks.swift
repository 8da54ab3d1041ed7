import Synchronization

/// How a block is found by its number.
extension ChainReader {
  /// Blocks older than the segment that are kept.
  private static let oldBlockLimit = 256
  /// Blocks ahead of ours that a number may be, for which it is worth asking.
  private static let farthestAhead: UInt64 = 64

  /// The block `number`, if it is known.
  package func knownHeader(at number: UInt64) -> BlockHeader? {
    state.withLock { $0.segment.header(at: number) ?? $0.oldBlocks[number] }
  }

  /// The block `number`. One that does not exist yet is waited for, two block times at the most; then `blockUnknown` is thrown.
  package func header(at number: UInt64) async throws(ChainError) -> BlockHeader {
    if let header = knownHeader(at: number) { return header }
    guard let head else {
      try await advance()
      return try await header(at: number)
    }
    return number < head.number ? try await oldHeader(at: number) : try await newHeader(at: number, ahead: number - head.number)
  }

  private func oldHeader(at number: UInt64) async throws(ChainError) -> BlockHeader {
    guard case .header(let header)? = try await pool.read([.block(number: number)], needed: agreement).first,
      header.number == number
    else { throw ChainError(.malformedResult, endpoint: "the endpoint", call: RPCRequest.block(number: number).summary) }
    state.withLock { state in
      if state.oldBlocks.count >= Self.oldBlockLimit { state.oldBlocks.removeAll() }
      state.oldBlocks[number] = header
    }
    return header
  }

  /// Asks all endpoints in turn until one has the block.
  private func newHeader(at number: UInt64, ahead: UInt64) async throws(ChainError) -> BlockHeader {
    let status = headStatus
    guard ahead <= Self.farthestAhead || (status.silence ?? .seconds(3_600)) > .seconds(30) else {
      throw ChainError(
        .blockUnknown, endpoint: "every endpoint", call: RPCRequest.block(number: number).summary,
        cause: "it is \(ahead) blocks ahead of the newest one")
    }
    let deadline = ContinuousClock.now + .seconds(2 * status.secondsPerBlock)
    let pause = Duration.seconds(min(max(status.secondsPerBlock / 8, 0.1), 1))
    while true {
      let error: ChainError
      do throws(ChainError) {
        guard case .header(let header)? = try await pool.read([.block(number: number)], needed: agreement).first else {
          throw ChainError(.malformedResult, endpoint: "the endpoint", call: RPCRequest.block(number: number).summary)
        }
        _ = try await join(header)
        state.withLock { $0.lastContact = .now }
        return header
      } catch let failure {
        error = failure
      }
      guard error.code == .blockUnknown, .now + pause < deadline else { throw error }
      do { try await Task.sleep(for: pause) } catch { throw ChainError(.cancelled, endpoint: "nobody", call: "") }
      if let header = knownHeader(at: number) { return header }
    }
  }
}
