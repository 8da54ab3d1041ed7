import PonosCore
import Synchronization

/// How the store is beyond its last write: what the last check found. Written by `StoreCheckService`, read by readiness and metrics.
package final class StoreCondition: Sendable {
  private struct State {
    var findings: StoreFindings?
    var checkedAt: UnixMilliseconds?
  }

  private let state = Mutex(State())

  package init() {}

  func record(_ findings: StoreFindings, at time: UnixMilliseconds) {
    state.withLock { $0 = State(findings: findings, checkedAt: time) }
  }

  /// What the last check found; nil before the first.
  package var findings: StoreFindings? { state.withLock(\.findings) }

  /// Whether tasks can be taken in, as far as the store is concerned. A log that only grows is named and is in nobody's way yet:
  /// what is committed is on disk.
  func readiness(_ statistics: StoreStatistics) -> Readiness.Check {
    let obstacle = statistics.lastFailure?.description ?? obstacle
    let warning = statistics.checkpointFailure.map { "the write-ahead log grows until it can be moved: \($0)" }
    return Readiness.Check(name: "store", isReady: obstacle == nil, reason: obstacle ?? warning)
  }

  /// Why the store cannot be relied on; nil when no check found damage.
  package var obstacle: String? {
    guard let findings, let first = findings.faults.first else { return nil }
    return "the database is damaged, \(findings.count) fault\(findings.count == 1 ? "" : "s") found, the first: \(first); "
      + "run 'state verify' and restore a backup"
  }
}
