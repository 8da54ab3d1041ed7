import Foundation
import Logging
import ServiceLifecycle

/// Keeps the store small: forgets finished tasks after their retention and folds the write-ahead log into the database, once an
/// hour.
///
/// Within the retention a submission that comes again is answered with the stored result. Digests have a retention of their own, and
/// without one are kept for ever: what a task's signature may be over does not expire.
package struct StoreMaintenance: Service {
  /// How long finished tasks are kept unless told otherwise: seven days.
  package static let defaultRetention = Duration.seconds(7 * 24 * 3600)

  private let store: any ExecutorStore
  private let retention: Duration
  private let digestRetention: Duration?
  private let interval: Duration
  private let logger: Logger
  private let now: @Sendable () -> UnixMilliseconds
  private let sleep: @Sendable (Duration) async throws -> Void

  /// - Parameter digestRetention: How long digests are kept once their tasks are gone; nil for ever.
  package init(
    store: any ExecutorStore, retention: Duration = StoreMaintenance.defaultRetention, digestRetention: Duration? = nil,
    interval: Duration = .seconds(3600), logger: Logger,
    now: @escaping @Sendable () -> UnixMilliseconds = { UnixMilliseconds(Date().timeIntervalSince1970 * 1000) },
    sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
  ) {
    self.store = store
    self.retention = retention
    self.digestRetention = digestRetention
    self.interval = interval
    self.logger = logger
    self.now = now
    self.sleep = sleep
  }

  /// Works at once and then every interval, until shutdown. A failure is logged and the next interval tries again.
  package func run() async throws {
    await cancelWhenGracefulShutdown {
      while !Task.isCancelled {
        do {
          try await maintain()
        } catch {
          logger.warning("store maintenance failed", metadata: [LogKey.error: "\(error)"])
        }
        do { try await sleep(interval) } catch { return }
      }
    }
  }

  /// One round: retention, then compaction.
  package func maintain() async throws(StoreError) {
    let deleted = try await store.deleteTasks(finishedBefore: now() - retention.milliseconds)
    if deleted > 0 {
      logger.info("forgot finished tasks past their retention", metadata: [LogKey.count: "\(deleted)"])
    }
    if let digestRetention {
      let forgotten = try await store.deleteDigests(recordedBefore: now() - digestRetention.milliseconds)
      if forgotten > 0 {
        logger.notice("forgot signed digests past their retention", metadata: [LogKey.count: "\(forgotten)"])
      }
    }
    try await store.compact()
  }
}
