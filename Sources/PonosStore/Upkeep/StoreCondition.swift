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

  /// How the store is, for whoever decides about intake.
  package struct Standing: Sendable, Equatable {
    /// Why no task can be taken in; nil when tasks can.
    package var obstacle: String?
    /// What will be in the way unless somebody sees to it. A log that only grows is in nobody's way yet: what is committed is on disk.
    package var warning: String?

    package init(obstacle: String? = nil, warning: String? = nil) {
      self.obstacle = obstacle
      self.warning = warning
    }
  }

  /// What the last check and the last writes say together.
  package func standing(_ statistics: StoreStatistics) -> Standing {
    Standing(
      obstacle: statistics.lastFailure?.description ?? obstacle,
      warning: statistics.checkpointFailure.map { "the write-ahead log grows until it can be moved: \($0)" })
  }

  /// Why the store cannot be relied on; nil when no check found damage.
  package var obstacle: String? {
    guard let findings, let first = findings.faults.first else { return nil }
    return "the database is damaged, \(findings.count) fault\(findings.count == 1 ? "" : "s") found, the first: \(first); "
      + "run 'state verify' and restore a backup"
  }
}
