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

  /// Why the store cannot be relied on; nil when no check found damage.
  package var obstacle: String? {
    guard let findings, let first = findings.faults.first else { return nil }
    return "the database is damaged, \(findings.count) fault\(findings.count == 1 ? "" : "s") found, the first: \(first); "
      + "run 'state verify' and restore a backup"
  }
}
