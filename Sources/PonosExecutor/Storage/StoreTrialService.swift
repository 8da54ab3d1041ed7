import Logging
import ServiceLifecycle

/// Finds out when a store whose disk failed can be written to again: while nothing new is accepted, nobody else would.
package struct StoreTrialService: Service {
  private let store: any ExecutorStore
  private let failure: @Sendable () -> StoreError?
  private let interval: Duration
  private let logger: Logger

  /// - Parameter failure: Why the last write failed; nil once one has worked again.
  package init(
    store: any ExecutorStore, failure: @escaping @Sendable () -> StoreError?, interval: Duration = .seconds(1), logger: Logger
  ) {
    self.store = store
    self.failure = failure
    self.interval = interval
    self.logger = logger
  }

  package func run() async throws {
    await cancelWhenGracefulShutdown {
      var isFailing = false
      while !Task.isCancelled {
        if let failure = failure() {
          if !isFailing { report(failure) }
          isFailing = true
          await tryToWrite()
        }
        if isFailing, failure() == nil {
          isFailing = false
          logger.notice("the store can be written to again; tasks are taken in")
        }
        do { try await Task.sleep(for: interval) } catch { return }
      }
    }
  }

  private func report(_ failure: StoreError) {
    logger.error(
      "the store cannot be written to; nothing is accepted until it can",
      metadata: [LogKey.code: "\(failure.code.rawValue)", LogKey.error: "\(failure.message)"])
  }

  private func tryToWrite() async {
    do throws(StoreError) { try await store.tryToWrite() } catch {
      logger.debug("the store still cannot be written to", metadata: [LogKey.error: "\(error)"])
    }
  }
}
