import PonosCore
import ServiceLifecycle

/// Closes intake in two steps at shutdown: no new submissions at once, and callers that still wait are sent away after a while.
package struct TaskIntakeService: Service {
  private let admission: Admission
  private let drainLimit: Duration

  package init(admission: Admission, drainLimit: Duration) {
    self.admission = admission
    self.drainLimit = drainLimit
  }

  package func run() async throws {
    admission.open()
    // Cancellation ends the wait too: then the daemon stops at once, and intake has to close all the same.
    try? await gracefulShutdown()
    admission.close(because: "stopping")
    let deadline = ContinuousClock.now + drainLimit
    while admission.hasWaitingCallers, ContinuousClock.now < deadline, !Task.isCancelled {
      try? await Task.sleep(for: .milliseconds(20))
    }
    admission.interruptWaitingCallers()
  }
}
