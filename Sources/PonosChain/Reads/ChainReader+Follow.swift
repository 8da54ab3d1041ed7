/// The loop that keeps the head new.
extension ChainReader {
  /// Rounds after which all endpoints are asked for their heads, not only the best one.
  private static let roundsBetweenProbes = 5

  /// Follows the newest block until the task is cancelled, and reads again what it may have changed.
  ///
  /// - Parameter onRound: Called after each round with what went wrong in it.
  package func follow(onRound: @Sendable (ChainError?) -> Void) async {
    var round = 0
    while !Task.isCancelled {
      if round.isMultiple(of: Self.roundsBetweenProbes) { await pool.probe() }
      round += 1
      do throws(ChainError) {
        if try await advance() { try await refresh() }
        onRound(nil)
      } catch {
        onRound(error)
        // A head that others may know of better is looked for at once.
        round = 0
      }
      // Cancellation ends the loop, whatever it interrupts.
      do { try await Task.sleep(for: pause) } catch { return }
    }
  }

  /// A third of the time between blocks, 0.25 to 4 seconds.
  private var pause: Duration { .seconds(min(max(headStatus.secondsPerBlock / 3, 0.25), 4)) }
}

extension EndpointPool {
  /// Asks every endpoint that may be asked for its head, and whether it is in step with the chain.
  package func probe() async {
    await withTaskGroup(of: Void.self) { group in
      for index in candidates() { group.addTask { await self.probe(index) } }
    }
  }

  private func probe(_ index: Int) async {
    guard case .success(let results) = await ask(index, [.head, .syncing]), case .value(.object)? = results.last else { return }
    failed(
      index, ChainError(.syncing, endpoint: hosts[index], call: RPCRequest.syncing.summary, cause: "eth_syncing tells progress"))
  }
}
