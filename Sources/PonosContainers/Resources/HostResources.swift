import PonosCore
import PonosStore
import Synchronization

/// What performers reserve of the host; the one writer of its ledger.
package final class HostResources: Sendable {
  private let ledger = Mutex(ResourceLedger())

  package init() {}

  /// Reserves what the performer may use on a host that has `capacity` now.
  func reserve(for record: PerformerRecord, of capacity: HostCapacity) -> ResourceLedger.Fit {
    ledger.withLock { ledger in
      ledger.capacity = capacity
      return ledger.reserve(.init(record), for: record.id)
    }
  }

  /// Reserves what a performer may use that an earlier daemon put in service.
  func hold(for record: PerformerRecord) {
    ledger.withLock { $0.hold(.init(record), for: record.id) }
  }

  /// Ends what is reserved for a performer, or that it was refused.
  func release(_ performerID: String) {
    ledger.withLock { $0.release(performerID) }
  }

  /// Whether a performer of the AVS was not started because it may use more than the host has.
  package func hasRefused(_ avs: EthereumAddress) -> Bool {
    ledger.withLock { $0.hasRefused(avs) }
  }
}

extension ResourceLedger.Reservation {
  fileprivate init(_ record: PerformerRecord) {
    self.init(avs: record.spec.avs, limits: record.spec.limits)
  }
}
