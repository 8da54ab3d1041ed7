import Foundation
import Logging
import PonosCore
import PonosTelemetry
import ServiceLifecycle

/// Looks for damage in the store once a day, beside other work, so that it is noticed while a good backup is still kept.
package struct StoreCheckService: Service {
  private let store: any StoreUpkeep
  private let condition: StoreCondition
  private let observe: @Sendable (StoreEvent) -> Void
  private let delay: Duration
  private let interval: Duration
  private let logger: Logger
  private let now: @Sendable () -> UnixMilliseconds
  private let sleep: @Sendable (Duration) async throws -> Void

  /// - Parameter delay: From the start to the first check, which must not compete with recovery.
  package init(
    store: any StoreUpkeep, condition: StoreCondition, observe: @escaping @Sendable (StoreEvent) -> Void = { _ in },
    delay: Duration = .seconds(60), interval: Duration = .seconds(24 * 3600), logger: Logger,
    now: @escaping @Sendable () -> UnixMilliseconds = { UnixMilliseconds(Date().timeIntervalSince1970 * 1000) },
    sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
  ) {
    self.store = store
    self.condition = condition
    self.observe = observe
    self.delay = delay
    self.interval = interval
    self.logger = logger
    self.now = now
    self.sleep = sleep
  }

  package func run() async throws {
    await cancelWhenGracefulShutdown {
      var pause = delay
      while !Task.isCancelled {
        do { try await sleep(pause) } catch { return }
        await check()
        pause = interval
      }
    }
  }

  /// One check. A check that cannot be made is logged, and says nothing about the store.
  package func check() async {
    let findings: StoreFindings
    do throws(StoreError) { findings = try await store.check() } catch {
      // A check that a stop has ended.
      if Task.isCancelled { return }
      logger.warning("the store could not be checked", metadata: [LogKey.error: "\(error)"])
      return
    }
    condition.record(findings, at: now())
    observe(.checked(isIntact: findings.isIntact))
    for fault in findings.faults {
      logger.error(
        "damage in the store", metadata: [LogKey.code: "\(StoreError.Code.damaged.rawValue)", LogKey.error: "\(fault)"])
    }
    logger.info(
      "checked the store", metadata: [LogKey.count: "\(findings.records)", LogKey.faults: "\(findings.count)"])
  }
}
