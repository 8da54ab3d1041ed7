import PonosCore
import Synchronization

/// Whether submissions are let in. Shut from the start until recovery is done, and again once the daemon stops.
package final class IntakeGate: Sendable {
  private let shut = Mutex<String?>("starting")

  package init() {}

  /// Why submissions are not let in; nil while they are.
  package var obstacle: String? { shut.withLock(\.self) }

  func open() {
    shut.withLock { $0 = nil }
  }

  func close(because state: String) {
    shut.withLock { $0 = state }
  }
}
