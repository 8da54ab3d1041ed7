/// A launch that is given up when its performer is asked to go, or the daemon ends.
struct InterruptibleLaunch: Sendable {
  /// Where the performer is asked to go; its other messages are left there.
  let mailbox: PerformerMailbox

  enum Outcome: Sendable {
    case launched(LaunchedPerformer)
    case failed(DeploymentError)
    /// The performer is to go. What was launched is disconnected again.
    case retiring
    /// The caller was cancelled. What was launched is disconnected again.
    case cancelled
  }

  /// Waits for `delay`, then runs `launch`.
  func run(
    after delay: Duration, _ launch: @escaping @Sendable () async throws(DeploymentError) -> LaunchedPerformer
  ) async -> Outcome {
    await withTaskGroup(of: Outcome.self) { group in
      group.addTask { await outcome(after: delay, launch) }
      group.addTask { await mailbox.untilRetiring() ? .retiring : .cancelled }
      guard let first = await group.next() else { return .cancelled }
      group.cancelAll()
      let second = await group.next()
      if Task.isCancelled { return await abandoned(first, second, as: .cancelled) }
      if case .retiring = first { return await abandoned(first, second, as: .retiring) }
      return first
    }
  }

  private func outcome(
    after delay: Duration, _ launch: () async throws(DeploymentError) -> LaunchedPerformer
  ) async -> Outcome {
    do throws(DeploymentError) {
      do { try await Task.sleep(for: delay) } catch { throw .shuttingDown }
      return .launched(try await launch())
    } catch {
      return .failed(error)
    }
  }

  private func abandoned(_ first: Outcome, _ second: Outcome?, as outcome: Outcome) async -> Outcome {
    for case .launched(let launched) in [first, second] { await launched.connection.close() }
    return outcome
  }
}
