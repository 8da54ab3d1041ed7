import Logging
import PonosTelemetry
import ServiceLifecycle

/// Finds out when a store whose disk failed works again. Nobody else would: while nothing new is accepted there are no writes, and while
/// the write-ahead log does not grow nobody moves it.
package struct StoreProbe: Service {
  /// A condition of the store that lasts for a while, and what is done about it.
  private struct Condition {
    let failure: @Sendable (StoreStatistics) -> StoreError?
    let begins: Logger.Message
    let ends: Logger.Message
    /// From one try to the next, in intervals of the probe.
    let interval: Int
    let tryAgain: @Sendable (any StoreUpkeep) async throws(StoreError) -> Void
    /// Intervals of the probe since the condition was noticed; nil while all is well.
    var age: Int?

    static let writes = Condition(
      failure: { $0.lastFailure }, begins: "the store cannot be written to; nothing is accepted until it can",
      ends: "the store can be written to again; tasks are taken in", interval: 1,
      tryAgain: { store throws(StoreError) in try await store.tryToWrite() })

    /// Tried less often: a try may write a large part of the log, and every commit waits for it.
    static let checkpoints = Condition(
      failure: { $0.checkpointFailure },
      begins: "the store's write-ahead log grows, because it cannot be moved into the database file",
      ends: "the store's write-ahead log can be moved into the database file again", interval: 10,
      tryAgain: { store throws(StoreError) in try await store.compact() })
  }

  private let store: any StoreUpkeep
  private let statistics: @Sendable () -> StoreStatistics
  private let interval: Duration
  private let logger: Logger

  /// - Parameter statistics: How the store is.
  package init(
    store: any StoreUpkeep, statistics: @escaping @Sendable () -> StoreStatistics, interval: Duration = .seconds(1),
    logger: Logger
  ) {
    self.store = store
    self.statistics = statistics
    self.interval = interval
    self.logger = logger
  }

  package func run() async throws {
    await cancelWhenGracefulShutdown {
      var (writes, checkpoints) = (Condition.writes, Condition.checkpoints)
      while !Task.isCancelled {
        await lookAfter(&writes)
        await lookAfter(&checkpoints)
        do { try await Task.sleep(for: interval) } catch { return }
      }
    }
  }

  private func lookAfter(_ condition: inout Condition) async {
    if let failure = condition.failure(statistics()) {
      if condition.age == nil { report(failure, condition) }
      let age = condition.age ?? 0
      condition.age = age + 1
      if age.isMultiple(of: condition.interval) { await attempt(condition) }
    }
    if condition.age != nil, condition.failure(statistics()) == nil {
      condition.age = nil
      logger.notice(condition.ends)
    }
  }

  private func report(_ failure: StoreError, _ condition: Condition) {
    logger.error(
      condition.begins, metadata: [LogKey.code: "\(failure.code.rawValue)", LogKey.error: "\(failure.message)"])
  }

  private func attempt(_ condition: Condition) async {
    do throws(StoreError) { try await condition.tryAgain(store) } catch {
      logger.debug("the store still fails", metadata: [LogKey.error: "\(error)"])
    }
  }
}
