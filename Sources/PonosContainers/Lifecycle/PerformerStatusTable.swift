import Foundation
import PonosCore
import PonosStore
import Synchronization

/// Where everyone reads what performers are doing. Each entry has one writer at a time: the deployment, then the supervisor.
final class PerformerStatusTable: Sendable {
  private let entries = Mutex<[String: PerformerSnapshot]>([:])
  private let unixNow: @Sendable () -> UnixMilliseconds

  init(unixNow: @escaping @Sendable () -> UnixMilliseconds = { UnixMilliseconds(Date().timeIntervalSince1970 * 1000) }) {
    self.unixNow = unixNow
  }

  /// The time now, as records and snapshots have it.
  var now: UnixMilliseconds { unixNow() }

  func put(_ snapshot: PerformerSnapshot) {
    entries.withLock { $0[snapshot.performerID] = snapshot }
  }

  /// Changes an entry; does nothing when there is none.
  func update(_ performerID: String, _ change: (inout PerformerSnapshot) -> Void) {
    entries.withLock { entries in
      guard var entry = entries[performerID] else { return }
      change(&entry)
      entries[performerID] = entry
    }
  }

  func remove(_ performerID: String) {
    entries.withLock { $0[performerID] = nil }
  }

  func entry(_ performerID: String) -> PerformerSnapshot? {
    entries.withLock { $0[performerID] }
  }

  /// By AVS and id.
  var all: [PerformerSnapshot] {
    entries.withLock { Array($0.values) }.sorted(by: PerformerSnapshot.precedes)
  }
}
