import Foundation

/// Something worth counting that happened to the store beside its commits.
package enum StoreEvent: Sendable, Equatable {
  /// A check came to its end; whether it found no damage.
  case checked(isIntact: Bool)
  /// A scheduled copy is complete.
  case backedUp(at: Date)
  /// A scheduled copy could not be made.
  case backupFailed
}
