import Logging
import PonosCore
import PonosSystem
import PonosTelemetry
import ServiceLifecycle

/// Keeps the store small: forgets finished tasks after their retention and folds the write-ahead log into the database, once an
/// hour.
///
/// Within the retention a submission that comes again is answered with the stored result. Digests have a retention of their own, and
/// without one are kept for ever: what a task's signature may be over does not expire.
///
/// What is forgotten cannot be had back, so a host's clock that is far ahead must not decide it alone: nothing is forgotten when the
/// clock was set since the last round, nor in the first round when it says that even the newest task is past its retention.
package struct StoreMaintenance: Service {
  private let store: any TaskStore & DigestStore & StoreUpkeep
  private let retention: Duration
  private let digestRetention: Duration?
  private let interval: Duration
  private let logger: Logger
  private let clock: TaskClock

  /// How far the host's clock may have been set between two rounds; corrections of a running clock are smaller.
  private static let tolerance = Duration.seconds(60)

  /// - Parameter digestRetention: How long digests are kept once their tasks are gone; nil for ever.
  package init(
    store: any TaskStore & DigestStore & StoreUpkeep, retention: Duration, digestRetention: Duration? = nil,
    interval: Duration = .seconds(3600), logger: Logger, clock: TaskClock = .system
  ) {
    self.store = store
    self.retention = retention
    self.digestRetention = digestRetention
    self.interval = interval
    self.logger = logger
    self.clock = clock
  }

  /// Works at once and then every interval, until shutdown. A failure is logged and the next interval tries again.
  package func run() async throws {
    await cancelWhenGracefulShutdown {
      var last: TaskClock.Reading?
      while !Task.isCancelled {
        do {
          try await maintain(since: last)
        } catch {
          logger.warning("store maintenance failed", metadata: [LogKey.error: "\(error)"])
        }
        last = clock.read()
        do { try await clock.sleep(interval) } catch { return }
      }
    }
  }

  /// One round: retention, then compaction.
  ///
  /// - Parameter last: The clocks at the end of the last round; nil in the first.
  package func maintain(since last: TaskClock.Reading? = nil) async throws(StoreError) {
    let now = clock.read()
    if try await isPlausible(now, since: last) {
      try await forget(at: now.unix)
    } else {
      logger.warning("the host's clock seems to be wrong: nothing is forgotten in this round; check its time synchronization")
    }
    try await store.compact()
  }

  private func isPlausible(_ now: TaskClock.Reading, since last: TaskClock.Reading?) async throws(StoreError) -> Bool {
    if let last {
      let set = (now.unix - last.unix) - (now.monotonic - last.monotonic)
      return abs(set) <= Self.tolerance.milliseconds
    }
    guard let newest = try await store.recentTasks(limit: 1).first else { return true }
    return newest.acceptedAt >= now.unix - retention.milliseconds
  }

  private func forget(at now: UnixMilliseconds) async throws(StoreError) {
    let deleted = try await store.deleteTasks(finishedBefore: now - retention.milliseconds)
    if deleted > 0 {
      logger.info("forgot finished tasks past their retention", metadata: [LogKey.count: "\(deleted)"])
    }
    if let digestRetention {
      let forgotten = try await store.deleteDigests(recordedBefore: now - digestRetention.milliseconds)
      if forgotten > 0 {
        logger.notice("forgot signed digests past their retention", metadata: [LogKey.count: "\(forgotten)"])
      }
    }
  }
}
