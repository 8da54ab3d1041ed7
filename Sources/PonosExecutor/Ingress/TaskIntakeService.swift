import PonosCore
import ServiceLifecycle

/// Opens intake, and closes it at shutdown in two steps: refuses new submissions at once, and sends waiting callers away later.
package struct TaskIntakeService: Service {
  private let admission: Admission
  private let drainLimit: Duration

  package init(admission: Admission, drainLimit: Duration) {
    self.admission = admission
    self.drainLimit = drainLimit
  }

  package func run() async throws {
    admission.open()
    // Cancellation ends the wait as well: the daemon then stops at once, and intake still has to close.
    try? await gracefulShutdown()
    admission.close(because: "stopping")
    let deadline = ContinuousClock.now + drainLimit
    while admission.hasWaitingCallers, ContinuousClock.now < deadline, !Task.isCancelled {
      try? await Task.sleep(for: .milliseconds(20))
    }
    admission.interruptWaitingCallers()
  }
}
