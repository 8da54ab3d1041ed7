import Logging
import PonosTelemetry
import ServiceLifecycle

/// Finds out when a store whose disk failed works again. While nothing new is accepted nobody else would write; and nobody else
/// would move the write-ahead log for as long as it grows no further.
package struct StoreTrialService: Service {
  /// Something of the store that fails for a while, and what is done about it.
  private struct Trouble {
    let failure: @Sendable (StoreStatistics) -> StoreError?
    let begins: Logger.Message
    let ends: Logger.Message
    /// Turns from one try to the next.
    let turns: Int
    let tryAgain: @Sendable (any ExecutorStore) async throws(StoreError) -> Void
    /// Turns since it was noticed; nil while all is well.
    var age: Int?

    static let writes = Trouble(
      failure: { $0.lastFailure }, begins: "the store cannot be written to; nothing is accepted until it can",
      ends: "the store can be written to again; tasks are taken in", turns: 1,
      tryAgain: { store throws(StoreError) in try await store.tryToWrite() })

    /// Tried less often, because a try may write a large part of the log and holds up every commit.
    static let checkpoints = Trouble(
      failure: { $0.checkpointFailure },
      begins: "the store's write-ahead log grows, because it cannot be moved into the database file",
      ends: "the store's write-ahead log can be moved into the database file again", turns: 10,
      tryAgain: { store throws(StoreError) in try await store.compact() })
  }

  private let store: any ExecutorStore
  private let statistics: @Sendable () -> StoreStatistics
  private let interval: Duration
  private let logger: Logger

  /// - Parameter statistics: How the store is.
  package init(
    store: any ExecutorStore, statistics: @escaping @Sendable () -> StoreStatistics, interval: Duration = .seconds(1),
    logger: Logger
  ) {
    self.store = store
    self.statistics = statistics
    self.interval = interval
    self.logger = logger
  }

  package func run() async throws {
    await cancelWhenGracefulShutdown {
      var (writes, checkpoints) = (Trouble.writes, Trouble.checkpoints)
      while !Task.isCancelled {
        await lookAfter(&writes)
        await lookAfter(&checkpoints)
        do { try await Task.sleep(for: interval) } catch { return }
      }
    }
  }

  private func lookAfter(_ trouble: inout Trouble) async {
    if let failure = trouble.failure(statistics()) {
      if trouble.age == nil { report(failure, trouble) }
      let age = trouble.age ?? 0
      trouble.age = age + 1
      if age.isMultiple(of: trouble.turns) { await attempt(trouble) }
    }
    if trouble.age != nil, trouble.failure(statistics()) == nil {
      trouble.age = nil
      logger.notice(trouble.ends)
    }
  }

  private func report(_ failure: StoreError, _ trouble: Trouble) {
    logger.error(
      trouble.begins, metadata: [LogKey.code: "\(failure.code.rawValue)", LogKey.error: "\(failure.message)"])
  }

  private func attempt(_ trouble: Trouble) async {
    do throws(StoreError) { try await trouble.tryAgain(store) } catch {
      logger.debug("the store still fails", metadata: [LogKey.error: "\(error)"])
    }
  }
}
